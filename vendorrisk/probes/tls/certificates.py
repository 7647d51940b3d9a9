"""Reading a certificate that others made: whole, or not at all."""

from cryptography import x509

_ODD = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def read_certificate(der: bytes) -> x509.Certificate:
    """Return the certificate. Raises `ValueError` if any part cannot be read.

    The library reads names and extensions lazily, and has its own exceptions for some faults. Here they are raised at
    once and as one, so that later evaluation meets none.
    """
    try:
        found = x509.load_der_x509_certificate(der)
        _ = found.version, found.issuer, found.subject, found.extensions
    except _ODD as error:
        raise ValueError(str(error)) from None
    return found
