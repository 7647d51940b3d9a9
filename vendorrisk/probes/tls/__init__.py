"""TLS of a host: `handshake` collects the certificate chain and the server's versions and ciphers.

`clienthello` writes and reads the first messages of a handshake, `certificates` reads a certificate.
"""
