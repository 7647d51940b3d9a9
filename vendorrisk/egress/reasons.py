"""Why an outward scan or send did not come about: the closed list."""

from enum import StrEnum


class Reason(StrEnum):
    """Append only. Stored with observations and attempts."""

    # The URL or host was refused before anything was sent.
    URL_INVALID = "url_invalid"
    SCHEME = "scheme"
    USERINFO = "userinfo"
    PORT = "port"
    HOST_BAD_CHAR = "host_bad_char"
    HOST_BAD_LABEL = "host_bad_label"
    HOST_TOO_LONG = "host_too_long"
    HOST_NOT_FQDN = "host_not_fqdn"
    HOST_IS_IP = "host_is_ip"
    HOST_SPECIAL_TLD = "host_special_tld"
    # The name led nowhere we may go.
    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_NODATA = "dns_nodata"
    DNS_SERVFAIL = "dns_servfail"
    DNS_REFUSED = "dns_refused"
    DNS_TIMEOUT = "dns_timeout"
    DNS_MALFORMED = "dns_malformed"
    ADDRESS = "address"
    # The connection failed.
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    CLOSED = "closed"
    # The other side answered, but not in a way we take.
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    HEADERS_TOO_LARGE = "headers_too_large"
    TOO_MANY_HEADERS = "too_many_headers"
    ENCODING = "encoding"
    BODY_CORRUPT = "body_corrupt"
    REDIRECT_INVALID = "redirect_invalid"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    # It asked us lately to come later (429 or 503 with Retry-After), and it is not later yet.
    ASKED_TO_WAIT = "asked_to_wait"


class EgressError(Exception):
    """The host was refused or could not be reached. `detail` is for the operator and holds no secret of ours."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
