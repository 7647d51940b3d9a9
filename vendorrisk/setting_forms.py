"""The form of every setting, in one table. Start-up refuses a value that does not fit, and the doctor lists it.

Types and ranges stand beside the settings. This table adds the form of a text: an address, a network, a sender. A
setting with nothing to check beyond its type has the row `BY_TYPE`. A value that fits its type and form may still
contradict another setting: `TOGETHER` holds those pairs. No message repeats a value that may hold a secret.
"""

import base64
import binascii
import ipaddress
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

KEY_BYTES_MIN: Final = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_RESOLVER = re.compile(
    r"\[(?P<six>[0-9a-fA-F:.]+)\](:(?P<p6>\d+))?|(?P<four>[0-9.]+)(:(?P<p4>\d+))?|(?P<bare>[0-9a-fA-F:]+)"
)
_TEST_PORT = re.compile(r"(\[?[0-9a-fA-F:.]+?\]?:)?\d{1,5}=\d{1,5}")
_MOST_PORT = 65535
_SENDER_NAME = re.compile(r'"[^"\\\r\n]*"|[^",;:@<>()\[\]\\\r\n]*')
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9\u0080-\uffff](?:[\w.-]*[\w])?", re.UNICODE)

SIGNAL_RULES = ("tls.ct_issuer", "web.cors", "exp.ports", "exp.kev", "exp.epss", "exp.eol")
"""The rules that are off by default, the valid names of `VENDORRISK_SIGNAL_RULES_ON`."""


class Wrong(ValueError):  # noqa: N818 - a finding about a value, not a fault of ours
    """The reason why a value cannot be used. It repeats the value only if no secret can be in it."""


class Form(msgspec.Struct, frozen=True):
    """The values that a setting takes, in words for the operator, and the check. An empty value is unset."""

    takes: str
    check: Callable[[str], object] | None = None


def faults(values: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each setting that cannot be used, and for each pair that contradicts itself."""
    for field, form in FORMS.items():
        value = values[field]
        if form.check is None or not value:
            continue
        try:
            form.check(value)
        except Wrong as wrong:
            yield f"{variables[field]}: {wrong}. It takes {form.takes}."
        except ValueError:
            yield f"{variables[field]}: it cannot be read. It takes {form.takes}."
    for contradicts in TOGETHER:
        if (said := contradicts(values, variables)) is not None:
            yield said


def decoded_key(text: str, place: int) -> bytes:
    """Return the bytes of one sealing key. The text itself is never repeated."""
    if not _BASE64.fullmatch(text):
        raise Wrong(f"key {place} is not base64")
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise Wrong(f"key {place} is not base64") from None
    if len(secret) < KEY_BYTES_MIN:
        raise Wrong(f"key {place} has only {len(secret)} bytes")
    return secret


def sealing_keys(value: str) -> list[bytes]:
    """Return the sealing keys, the first key's first."""
    keys = [decoded_key(part.strip(), place) for place, part in enumerate(value.split(","), start=1)]
    if len(set(keys)) != len(keys):
        raise Wrong("one of them is there twice")
    return keys


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _split(value: str) -> SplitResult:
    """Split an address. The parser's own words are dropped, because they may hold a part of a password."""
    if not value.isprintable() or " " in value:
        raise Wrong("it holds a blank or a character that cannot be printed")
    try:
        parts = urlsplit(value)
        for host in parts.netloc.rpartition("@")[2].split(","):
            _port_of(host)
    except Wrong:
        raise
    except ValueError:
        raise Wrong("it cannot be read; percent-encode other characters of user and password") from None
    return parts


def _port_of(authority: str) -> None:
    port = authority.rpartition("]")[2].rpartition(":")[2] if ":" in authority.rpartition("]")[2] else ""
    if port and not (port.isdigit() and int(port) <= _MOST_PORT):
        raise Wrong("the port is not a number up to 65535; percent-encode other characters of user and password")


def _postgres(value: str) -> None:
    parts = _split(value)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise Wrong("it does not begin with postgresql://")
    if not parts.netloc.rpartition("@")[2] and "host=" not in parts.query:
        raise Wrong("it names no host")


def _redis(value: str) -> None:
    parts = _split(value)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise Wrong("it begins with neither redis://, rediss:// nor unix://")
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise Wrong("it names no socket")
    elif not parts.hostname:
        raise Wrong("it names no host")
    elif parts.path.strip("/") and not parts.path.strip("/").isdigit():
        raise Wrong("the database behind the slash is not a number")


def _web(value: str, *holes: str) -> SplitResult:
    """Check an address of the web. `holes` are placeholders that it must hold."""
    for hole in holes:
        if hole not in value:
            raise Wrong(f"it lacks {hole}")
    parts = _split(re.sub(r"\{(domain|address|repository)\}", "x", value) if holes else value)
    if parts.scheme not in {"http", "https"}:
        raise Wrong("it does not begin with https:// or http://")
    if not parts.hostname or not _is_host(parts.hostname):
        raise Wrong("it names no host")
    if parts.username is not None:
        raise Wrong("it holds a user: this address is shown")
    if "{" in parts.geturl() or "}" in parts.geturl():
        raise Wrong("it holds a placeholder that is not filled in")
    return parts


def _public(value: str) -> None:
    parts = _web(value)
    if parts.query or parts.fragment:
        raise Wrong("links are made by adding a path, so it may hold neither ? nor #")


def _contact(value: str) -> None:
    if value.startswith("mailto:"):
        _mailbox(value.removeprefix("mailto:"))
    else:
        _web(value)
    if not value.isascii():
        raise Wrong("it is sent as a header, so it is ASCII")


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _HOST.fullmatch(name) is not None
    return True


def _host(value: str) -> None:
    if not _is_host(value):
        raise Wrong(f"{value!r} is neither")


def _networks(value: str) -> list[Any]:
    found = []
    for part in _parts(value):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError:
            raise Wrong(f"{part!r} is no network") from None
    return found


def _loopback(value: str) -> None:
    for network in _networks(value):
        if not network.is_loopback:
            raise Wrong(f"{network} is not a part of loopback")


def _resolvers(value: str) -> None:
    for part in _parts(value):
        match = _RESOLVER.fullmatch(part)
        if match is None:
            raise Wrong(f"{part!r} is no address")
        try:
            ipaddress.ip_address(match["six"] or match["four"] or match["bare"])
        except ValueError:
            raise Wrong(f"{part!r} is no address") from None
        if int(match["p6"] or match["p4"] or 0) > _MOST_PORT:
            raise Wrong(f"{part!r} has no possible port")


def _test_ports(value: str) -> None:
    for part in _parts(value):
        if not _TEST_PORT.fullmatch(part):
            raise Wrong(f"{part!r} is none")


def _store(value: str) -> None:
    parts = _split(value)
    is_disk = parts.scheme == "file" and not parts.netloc and parts.path.strip("/")
    is_bucket = parts.scheme == "s3" and parts.netloc
    if not (is_disk or is_bucket):
        raise Wrong("it is neither")
    if parts.query or parts.fragment:
        raise Wrong("it may hold neither ? nor #")


def _mail_server(value: str) -> None:
    parts = _split(value)
    if parts.scheme not in {"smtp", "smtps"}:
        raise Wrong("it begins with neither smtp:// nor smtps://")
    if not parts.hostname:
        raise Wrong("it names no host")
    if parts.query and not re.fullmatch(r"tls=(required|offered|never)", parts.query):
        raise Wrong("behind ? stands tls=required, tls=offered or tls=never")


def _mailbox(value: str) -> None:
    if not _MAILBOX.fullmatch(value):
        raise Wrong("the address is none")


def _sender(value: str) -> None:
    """Check the sender as mail servers read it: an unquoted comma or @ in the name would make it another address."""
    name, bracket, rest = value.rpartition("<")
    if not bracket:
        _mailbox(value.strip())
        return
    if not rest.endswith(">") or not _SENDER_NAME.fullmatch(name.strip()):
        raise Wrong('put the name between quotes if it holds one of , ; : @ ( ) [ ], like "Acme, Inc." <risk@acme.com>')
    _mailbox(rest[:-1])
    if parseaddr(value)[1] != rest[:-1]:
        raise Wrong("it cannot be read as one name and one address")


def _hosts(value: str) -> None:
    for name in _parts(value):
        if not _is_host(name):
            raise Wrong(f"{name!r} is no name of a host")


def _certificates(value: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=value)
    except ssl.SSLError:
        raise Wrong(f"{value} holds none") from None
    except OSError as error:
        raise Wrong(f"{value} cannot be read: {error.strerror}") from None


def _rules(value: str) -> None:
    for name in _parts(value):
        if name not in SIGNAL_RULES:
            raise Wrong(f"{name!r} is no rule that is off by default")


def _token(value: str) -> None:
    if not value.isprintable() or not value.isascii() or any(character.isspace() for character in value):
        raise Wrong("it holds a blank or a character that a header cannot hold")


def _region(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value):
        raise Wrong("it holds other characters")


BY_TYPE: Final = Form("the values of its type")
_WEB = Form("an address of the web, like https://example.org/feed", _web)

FORMS: Mapping[str, Form] = {
    "database_url": (
        _database := Form(
            "postgresql://user:password@host:port/database, with other characters percent-encoded", _postgres
        )
    ),
    "database_migration_url": _database,
    "redis_url": Form("redis://user:password@host:port/number, rediss://… or unix:///path?db=number", _redis),
    "port": BY_TYPE,
    "host": (_listened := Form("an address of this machine or its name, like 127.0.0.1", _host)),
    "shutdown_delay_seconds": BY_TYPE,
    "idle_seconds": BY_TYPE,
    "hsts_include_subdomains": BY_TYPE,
    "stuck_seconds": BY_TYPE,
    "api_metrics_port": BY_TYPE,
    "worker_metrics_port": BY_TYPE,
    "metrics_host": _listened,
    "home": Form("a folder. Start-up names one that cannot be used"),
    "environment": BY_TYPE,
    "public_url": Form("the address that people open, like https://risk.example.org", _public),
    "database_pooling": BY_TYPE,
    "database_pool_size": BY_TYPE,
    "database_wait_seconds": BY_TYPE,
    "database_statement_seconds": BY_TYPE,
    "secret_keys": Form(
        "base64 keys of 32 bytes or more, comma-separated (`vendorrisk keys make` prints one)", sealing_keys
    ),
    "storage_url": Form("file:///folder or s3://bucket/prefix", _store),
    "storage_s3_endpoint": Form("the store's own address, like https://s3.example.org", _web),
    "storage_s3_region": Form("the name of a region, like eu-central-1", _region),
    "storage_s3_access_key_id": Form("the id of an access key", _token),
    "storage_s3_secret_access_key": Form("the secret of an access key", _token),
    "upload_max_bytes": BY_TYPE,
    "body_max_bytes": BY_TYPE,
    "import_max_bytes": BY_TYPE,
    "smtp_url": Form(
        "smtp://user:password@host:587 or smtps://host:465, with other characters percent-encoded", _mail_server
    ),
    "mail_from": Form("Name <address@domain>", _sender),
    "receivers_per_tenant": BY_TYPE,
    "receiver_messages_per_hour": BY_TYPE,
    "webhook_inside_hosts": Form("names of hosts, comma-separated, like hooks.corp.example", _hosts),
    "message_ca_file": Form("a file of certificates in PEM", _certificates),
    "slack_api_url": Form("the address of Slack's API, like https://slack.com/api/", _web),
    "rate_limit_per_minute": BY_TYPE,
    "rate_limit_tenant_per_minute": BY_TYPE,
    "rate_limit_unauthenticated_per_minute": BY_TYPE,
    "trusted_proxies": Form("networks, comma-separated, like 10.0.0.0/8,2001:db8::/32", _networks),
    "log_level": BY_TYPE,
    "log_format": BY_TYPE,
    "egress_test_networks": Form("networks of loopback, comma-separated, like 127.0.0.0/8", _loopback),
    "egress_test_ports": Form("pairs of ports, comma-separated, like 443=8443,127.0.0.2:80=8080", _test_ports),
    "egress_resolvers": Form("addresses, comma-separated, like 9.9.9.9 or [2620:fe::fe]:53", _resolvers),
    "signal_rules_on": Form(f"rules that are off by default, comma-separated: {', '.join(SIGNAL_RULES)}", _rules),
    "signal_scan_concurrency": BY_TYPE,
    "signal_seconds_between": BY_TYPE,
    "signal_seconds_between_of_address": BY_TYPE,
    "signal_kev_url": _WEB,
    "signal_hibp_url": _WEB,
    "signal_epss_url": _WEB,
    "signal_rdap_url": _WEB,
    "signal_preload_url": _WEB,
    "signal_ct_url": Form(
        "an address with {domain}, like https://api.certspotter.com/v1/issuances?domain={domain}",
        lambda value: _web(value, "{domain}"),
    ),
    "signal_ct_token": Form("a token", _token),
    "signal_exposure_url": Form(
        "an address with {address}, like https://internetdb.shodan.io/{address}",
        lambda value: _web(value, "{address}"),
    ),
    "signal_scorecard_url": Form(
        "an address with {repository}, like https://api.securityscorecards.dev/projects/{repository}",
        lambda value: _web(value, "{repository}"),
    ),
    "signal_retention_months": BY_TYPE,
    "scan_retention_days": BY_TYPE,
    "contact_url": Form("an address of the web or mailto:, like https://example.org/bot", _contact),
}
"""One row for each setting."""


def _ports_clash(values: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
    """Find two of our own listeners on one port. Port 0 is a free one."""
    seen: dict[int, str] = {}
    for field in ("port", "api_metrics_port", "worker_metrics_port"):
        if port := values[field]:
            if port in seen:
                return f"{variables[field]} and {variables[seen[port]]} are both {port}: give each a port of its own."
            seen[port] = field
    return None


def _tests_in_production(values: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
    networks, ports = values["egress_test_networks"], values["egress_test_ports"]
    if (networks or ports) and values["environment"] == "production":
        named = variables["egress_test_networks" if networks else "egress_test_ports"]
        return f"{named} is for tests: unset it, or set {variables['environment']}=test."
    if ports and not networks:
        return f"{variables['egress_test_ports']} works only with {variables['egress_test_networks']}."
    return None


def _half_an_access_key(values: Mapping[str, Any], variables: Mapping[str, str]) -> str | None:
    pair = ("storage_s3_access_key_id", "storage_s3_secret_access_key")
    given = [field for field in pair if values[field]]
    if len(given) == 1:
        [lacking] = set(pair) - set(given)
        return f"{variables[given[0]]}: It needs {variables[lacking]} beside it. Set both, or neither."
    return None


TOGETHER: tuple[Callable[[Mapping[str, Any], Mapping[str, str]], str | None], ...] = (
    _ports_clash,
    _tests_in_production,
    _half_an_access_key,
)
