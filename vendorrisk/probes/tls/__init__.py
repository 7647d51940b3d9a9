"""TLS of a host: `handshake` collects the certificate chain and what versions and ciphers the server takes.

`clienthello` writes and reads the first messages of a handshake, `certificates` reads a certificate.
"""
