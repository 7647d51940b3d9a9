"""Every setting, on one page. Each is read from the environment variable in its comment. None is read elsewhere.

The same names work in embedded mode and on real servers. Embedded mode fills in the ones it provides. Any of them may
be given as a file instead, as orchestrators provide secrets: `X_FILE` names the file that holds X.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from vendorrisk.setting_forms import SIGNAL_RULES, faults
from vendorrisk.value_checks import faults_of

__all__ = (
    "FILE_SUFFIX",
    "SIGNAL_RULES",
    "VARIABLES",
    "SettingError",
    "Settings",
    "faults_in",
    "from_environment",
    "local_url",
    "read",
)


class SettingError(Exception):
    """A setting cannot be used. The message names the variable and says what it takes."""


_CUSTOMARY = {
    "database_url": "DATABASE_URL",
    "database_migration_url": "DATABASE_MIGRATION_URL",
    "redis_url": "REDIS_URL",
    "port": "PORT",
}


def _variable(name: str) -> str:
    return _CUSTOMARY.get(name, f"VENDORRISK_{name.upper()}")


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=_variable):
    """The operator's settings. A field `x_y` is `VENDORRISK_X_Y`, except for the four customary names."""

    # DATABASE_URL: postgresql://… of the service. Unset means embedded Postgres.
    database_url: str = ""
    # DATABASE_MIGRATION_URL: the owner's, if it differs (and past PgBouncer).
    database_migration_url: str = ""
    # REDIS_URL: redis://, rediss:// or unix://. Unset means the embedded server.
    redis_url: str = ""
    # PORT: of the API. 0 takes a free one.
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080

    host: str = "127.0.0.1"
    # Seconds to keep serving after SIGTERM while /health/ready fails, so that a proxy stops sending requests. Plus the
    # 7 s drain, stay below the supervisor's kill timeout.
    shutdown_delay_seconds: Annotated[float, Meta(ge=0, le=300)] = 0.0
    # A connection that sends no request, or half of one, or takes no byte of its response, is ended after so long. More
    # than the 60 s after which common proxies end an idle connection themselves, so that none is cut while it is used.
    idle_seconds: Annotated[float, Meta(ge=1, le=600)] = 75.0
    # Whether Strict-Transport-Security holds for every host below this one too.
    hsts_include_subdomains: bool = False
    # A process whose event loop does not come round for so many seconds ends itself, and its supervisor starts another.
    # No work on the loop takes more than a second or two, and a stuck process is to be replaced within a minute.
    stuck_seconds: Annotated[float, Meta(ge=5, le=600)] = 30.0
    # Metrics for Prometheus, of each kind of process on a port of its own: the API's port has callers. 0: not served.
    api_metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    worker_metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    metrics_host: str = "127.0.0.1"  # they answer without a key, so only this machine is served by default
    home: str = ""  # data folder of embedded mode and of the disk store
    environment: Literal["production", "test"] = "production"
    # The beginning of links in messages. Unset: localhost, with the port in use.
    public_url: str = "http://localhost:8080"
    # "transaction" if DATABASE_URL is a PgBouncer in transaction mode: no prepared statements, no session state.
    database_pooling: Literal["session", "transaction"] = "session"
    database_pool_size: Annotated[int, Meta(ge=1, le=200)] = 4
    # How long a request may wait for a connection before it is answered 503.
    database_wait_seconds: Annotated[float, Meta(gt=0, le=60)] = 2.0
    database_statement_seconds: Annotated[int, Meta(ge=1, le=600)] = 15
    # 32 bytes or more, base64. A comma-separated list rotates: the first seals, all open.
    secret_keys: str = ""
    storage_url: str = ""  # file:///path or s3://bucket/prefix. Unset is `home`/files
    storage_s3_endpoint: str = ""
    storage_s3_region: str = "us-east-1"
    # Both unset: AWS's own variables, then the instance's role.
    storage_s3_access_key_id: str = ""
    storage_s3_secret_access_key: str = ""
    upload_max_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024 * 1024
    body_max_bytes: Annotated[int, Meta(ge=1024)] = 1024 * 1024
    import_max_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024 * 1024
    smtp_url: str = ""  # smtp://user:password@host:587, smtps://host:465. Unset: e-mail is off
    mail_from: str = "Vendor risk <vendorrisk@localhost>"
    # Receivers of a tenant. Each alert makes a delivery for each of them.
    receivers_per_tenant: Annotated[int, Meta(ge=1, le=10_000)] = 100
    # Tests of receivers and mails that ask to confirm an address, of a tenant in an hour.
    receiver_messages_per_hour: Annotated[int, Meta(ge=1)] = 60
    # Hosts inside, comma-separated, that webhooks may be posted to though their addresses are private.
    webhook_inside_hosts: str = ""
    # A PEM file of authorities that messages trust beside the system's: webhooks, Slack and mail.
    message_ca_file: str = ""
    slack_api_url: str = "https://slack.com/api/"
    rate_limit_per_minute: Annotated[int, Meta(ge=1)] = 6000  # per API key and API process
    rate_limit_tenant_per_minute: Annotated[int, Meta(ge=1)] = 30_000  # over all keys of a tenant, per API process
    rate_limit_unauthenticated_per_minute: Annotated[int, Meta(ge=1)] = 300  # per address
    trusted_proxies: str = ""  # comma-separated networks with trusted X-Forwarded-For
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    # Both serve only tests on loopback. Start-up refuses them in production.
    egress_test_networks: str = ""
    egress_test_ports: str = ""
    egress_resolvers: str = ""  # comma-separated addresses; unset: the system's resolvers
    # External signals. Rules that are off by default and are switched on, comma-separated: "web.cors,exp.ports". For
    # For exp.… you confirm that its source permits your use. See /v1/signal-methodology for the reasons.
    signal_rules_on: str = ""
    # Vendors' domains under way in one worker: of one tenant that asked, or of the schedule. Others get a quarter more.
    signal_scan_concurrency: Annotated[int, Meta(ge=1, le=500)] = 60
    signal_seconds_between: Annotated[float, Meta(ge=0, le=60)] = 1.0  # between connections and requests to one domain
    signal_seconds_between_of_address: Annotated[float, Meta(ge=0, le=60)] = 0.5  # to one address
    signal_kev_url: str = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
    signal_hibp_url: str = "https://haveibeenpwned.com/api/v3/breaches"
    signal_epss_url: str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
    signal_rdap_url: str = "https://data.iana.org/rdap/dns.json"
    signal_preload_url: str = ""  # Chromium's transport_security_state_static.json. Unset: nothing is preloaded
    signal_ct_url: str = ""  # with {domain}, such as Cert Spotter's issuances; unset: tls.ct_issuer is off
    signal_ct_token: str = ""
    signal_exposure_url: str = ""  # with {address}, such as InternetDB's; unset: exp.… are off
    # With {repository}; unset: declared repositories are unknown.
    signal_scorecard_url: str = "https://api.securityscorecards.dev/projects/{repository}"
    signal_retention_months: Annotated[int, Meta(ge=1, le=600)] = 24  # observations, evaluations and scores
    scan_retention_days: Annotated[int, Meta(ge=1, le=3660)] = 90
    contact_url: str = "https://example.org/bot"  # in the User-Agent of scans

    def __repr__(self) -> str:
        """Return only the environment's name, so that a debugger or a log line reveals no secret."""
        return f"<settings for {self.environment}>"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("environment", self.environment)]

    def home_path(self) -> Path:
        """Return the data folder: the setting, else /var/lib/vendorrisk for root, else the XDG state folder."""
        if self.home:
            return Path(self.home).absolute()
        if os.geteuid() == 0:
            return Path("/var/lib/vendorrisk")
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Path(state) / "vendorrisk"


def is_given(field: str, environment: Mapping[str, str] | None = None) -> bool:
    """Return True if the operator set this one, by its variable or by a file."""
    source = os.environ if environment is None else environment
    return bool(source.get(VARIABLES[field]) or source.get(VARIABLES[field] + FILE_SUFFIX))


def local_url(port: int) -> str:
    """Return the beginning of links where no public address is set."""
    return f"http://localhost:{port}"


VARIABLES: Mapping[str, str] = {name: _variable(name) for name in Settings.__struct_fields__}
"""Field name → environment variable."""


FILE_SUFFIX = "_FILE"


def _content(key: str, place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"{key}{FILE_SUFFIX}: {place} cannot be read: {reason}") from None


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings and refuse every one that cannot be used, in one line that never repeats a secret."""
    settings = read(environment)
    if wrong := list(faults_in(settings)):
        raise SettingError(" ".join(wrong))
    return settings


def faults_in(settings: Settings) -> list[str]:
    """Return one sentence for each setting that cannot be used: its form, or its contradiction of another."""
    return list(faults(msgspec.structs.asdict(settings), VARIABLES))


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings by type and range alone. An empty variable counts as unset, an unknown one is refused."""
    source = os.environ if environment is None else environment
    known = set(VARIABLES.values())
    given = {key: value for key, value in source.items() if key in known and value != ""}
    for key in sorted(known):
        if place := source.get(key + FILE_SUFFIX):
            if key in given:
                raise SettingError(f"both {key} and {key}{FILE_SUFFIX} are set; unset one")
            given[key] = _content(key, Path(place))
    known |= {key + FILE_SUFFIX for key in known}
    unknown = sorted(k for k in source if k.startswith("VENDORRISK_") and k not in known)
    if unknown:
        raise SettingError(f"{unknown[0]} is not a setting; see vendorrisk/settings.py for the list")
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError:
        raise SettingError(_wrong(given)) from None
    if VARIABLES["public_url"] in given:
        return settings
    return msgspec.structs.replace(settings, public_url=local_url(settings.port))


def _wrong(given: Mapping[str, str]) -> str:
    """Return which settings have a wrong value and what each takes, but never the value, which may be a secret."""
    found = list(faults_of(given, Settings, is_text=True))
    return " ".join(f"{str(fault.pointer).removeprefix('/')}: {fault.detail}" for fault in found)
