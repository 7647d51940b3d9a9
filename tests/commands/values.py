"""For every setting a value that it takes, and values that it must refuse: by type, by range, by form."""

import base64
import hashlib
from collections.abc import Iterator

import certifi

CANARY = "canary-of-a-secret"
KEY = base64.b64encode(hashlib.sha256(b"only for tests").digest()).decode()

GOOD: dict[str, str] = {
    "database_url": "postgresql://risk:pass%2Fword@db.example.org:5432/risk",
    "database_migration_url": "postgresql:///risk?host=/run/postgresql",
    "redis_url": "rediss://:password@redis.example.org:6380/1",
    "port": "8081",
    "host": "::",
    "shutdown_delay_seconds": "2.5",
    "idle_seconds": "60.0",
    "hsts_include_subdomains": "True",
    "stuck_seconds": "20.0",
    "metrics_host": "::1",
    "api_metrics_port": "9101",
    "worker_metrics_port": "9102",
    "home": "/var/lib/elsewhere",
    "environment": "test",
    "public_url": "https://risk.example.org/vendors",
    "database_pooling": "transaction",
    "database_pool_size": "7",
    "database_wait_seconds": "1.5",
    "database_statement_seconds": "20",
    "secret_keys": f"{KEY}",
    "storage_url": "s3://bucket/prefix",
    "storage_s3_endpoint": "https://s3.example.org:9000",
    "storage_s3_region": "eu-central-1",
    "storage_s3_access_key_id": "AKIAEXAMPLE",
    "storage_s3_secret_access_key": "abc/def+ghi",
    "upload_max_bytes": "70000",
    "body_max_bytes": "70001",
    "import_max_bytes": "70002",
    "smtp_url": "smtp://user:pass%40word@mail.example.org:587?tls=required",
    "mail_from": '"Acme, Inc. Vendor Risk" <risk@example.org>',
    "receivers_per_tenant": "14",
    "receiver_messages_per_hour": "15",
    "webhook_inside_hosts": "hooks.corp.example, siem.corp.example",
    "message_ca_file": certifi.where(),
    "slack_api_url": "https://slack.example.org/api/",
    "rate_limit_per_minute": "11",
    "rate_limit_tenant_per_minute": "12",
    "rate_limit_unauthenticated_per_minute": "13",
    "trusted_proxies": "10.0.0.0/8, 2001:db8::/32, 192.0.2.7",
    "log_level": "warning",
    "log_format": "console",
    "egress_test_networks": "127.0.0.0/8",
    "egress_test_ports": "443=8443,127.0.0.2:80=8080",
    "egress_resolvers": "9.9.9.9,[2620:fe::fe]:53",
    "signal_rules_on": "web.cors, exp.kev",
    "signal_scan_concurrency": "9",
    "signal_seconds_between": "0.5",
    "signal_seconds_between_of_address": "0.25",
    "signal_kev_url": "https://feeds.example.org/kev.json",
    "signal_hibp_url": "https://feeds.example.org/breaches",
    "signal_epss_url": "https://feeds.example.org/epss.csv.gz",
    "signal_rdap_url": "https://feeds.example.org/dns.json",
    "signal_preload_url": "https://feeds.example.org/preload.json",
    "signal_ct_url": "https://ct.example.org/issuances?domain={domain}",
    "signal_ct_token": "token",
    "signal_exposure_url": "https://exposure.example.org/{address}",
    "signal_scorecard_url": "https://scorecard.example.org/projects/{repository}",
    "signal_retention_months": "12",
    "scan_retention_days": "30",
    "contact_url": "mailto:bot@example.org",
}

_PORTS = ("-1", "65536", "80.5", "http")
_WEB = (
    *(
        "feeds.example.org/x",
        "ftp://x.example",
        "https://",
        "https://u:p@x.example/",
        "https://x.example:99999/",
        "//x",
    ),
    *("https://ex ample.org", "https://x.example/\nX: y"),
)
_AMOUNT = ("-1", "0", "many")

WRONG: dict[str, tuple[str, ...]] = {
    "database_url": (
        "risk",
        "mysql://h/d",
        "postgresql://",
        f"postgresql://u:{CANARY}/x@h/d",
        "postgresql://h:70000/d",
        "postgresql://h/d\n",
    ),
    "database_migration_url": ("risk", "http://h/d", f"postgresql://u:{CANARY}/x@h/d"),
    "redis_url": ("redis", "http://h", f"redis://:{CANARY}/x@h", "redis://h:1/first", "unix://", "redis://"),
    "port": _PORTS,
    "host": ("a b", "http://x", "[::1]", "-x"),
    "shutdown_delay_seconds": ("-1", "301", "soon", "nan"),
    "idle_seconds": ("0", "601", "soon"),
    "hsts_include_subdomains": ("maybe", "2"),
    "stuck_seconds": ("4", "601", "soon"),
    "receivers_per_tenant": ("0", "10001", "many"),
    "receiver_messages_per_hour": ("0", "many"),
    "webhook_inside_hosts": ("https://hooks.corp.example", "a b", "*.corp.example"),
    "message_ca_file": ("/nowhere/ca.pem", __file__),
    "metrics_host": ("a b", "http://x"),
    "api_metrics_port": _PORTS,
    "worker_metrics_port": _PORTS,
    "environment": ("staging", "Production"),
    "public_url": (
        "risk.example.org",
        "ftp://risk.example.org",
        "https://",
        "https://r.example/?a=b",
        "https://r.example/#x",
        "https://u@r.example",
        "https://r.example:port",
    ),
    "database_pooling": ("statement",),
    "database_pool_size": ("0", "201", "four"),
    "database_wait_seconds": ("0", "61", "two"),
    "database_statement_seconds": ("0", "601", "1.5"),
    "secret_keys": (CANARY + "!", "AAAA", f"{KEY},", f"{KEY},{KEY}", f"{KEY};{KEY}"),
    "storage_url": ("/files", "ftp://h/x", "file://host/x", "file:///", "s3://", "s3://b/p?x=y"),
    "storage_s3_endpoint": _WEB,
    "storage_s3_region": ("eu central", "eu/1"),
    "storage_s3_access_key_id": ("a b", "ä"),
    "storage_s3_secret_access_key": (f"{CANARY} b",),
    "upload_max_bytes": ("1023", "many", "-1"),
    "body_max_bytes": ("1023", "many", "-1"),
    "import_max_bytes": ("1023", "many", "-1"),
    "smtp_url": (
        "mail.example.org",
        "http://m",
        "smtp://",
        f"smtp://u:{CANARY}/x@m",
        "smtp://m?tls=perhaps",
        "smtp://m:x",
    ),
    "mail_from": (
        "nobody",
        "Risk <risk@>",
        "Acme, Inc. Vendor Risk <a@b.example>",
        "Risk @ Acme <a@b.example>",
        "a@b.example, c@d.example",
        "Risk <a@b.example> x",
        "<a b@c.example>",
    ),
    "slack_api_url": _WEB,
    "rate_limit_per_minute": _AMOUNT,
    "rate_limit_tenant_per_minute": _AMOUNT,
    "rate_limit_unauthenticated_per_minute": _AMOUNT,
    "trusted_proxies": ("10.0.0.0/33", "10.0.0.1/8", "proxy", "10.0.0.0/8;10.1.0.0/16"),
    "log_level": ("loud", "INFO"),
    "log_format": ("xml",),
    "egress_test_networks": ("10.0.0.0/8", "loopback"),
    "egress_test_ports": ("443", "443=x"),
    "egress_resolvers": ("dns.example", "9.9.9.9:99999", "9.9.9", "[::1"),
    "signal_rules_on": ("web.coors", "web.cors;exp.kev"),
    "signal_scan_concurrency": ("0", "501", "all"),
    "signal_seconds_between": ("-1", "61", "one"),
    "signal_seconds_between_of_address": ("-1", "61", "one"),
    "signal_kev_url": (*_WEB, "nonsense", "https://x.example/{domain}"),
    "signal_hibp_url": _WEB,
    "signal_epss_url": _WEB,
    "signal_rdap_url": _WEB,
    "signal_preload_url": _WEB,
    "signal_ct_url": ("https://ct.example/", "ct.example/{domain}", "https://ct.example/{domain}/{other}"),
    "signal_ct_token": ("a b", "a\tb"),
    "signal_exposure_url": ("https://x.example/", "x/{address}"),
    "signal_scorecard_url": ("https://x.example/", "x/{repository}"),
    "signal_retention_months": ("0", "601", "two"),
    "scan_retention_days": ("0", "3661", "two"),
    "contact_url": ("bot", "ftp://x.example", "mailto:nobody", "https://ex\u00e4mple.org/b\u00f6t"),
}

NEVER_WRONG = {"home"}
"""Settings of which every text is a possible value: start-up says where a folder cannot be used."""

TOGETHER = (
    ({"port": "9000", "api_metrics_port": "9000"}, "VENDORRISK_API_METRICS_PORT and PORT are both 9000"),
    (
        {"api_metrics_port": "9", "worker_metrics_port": "9"},
        "VENDORRISK_WORKER_METRICS_PORT and VENDORRISK_API_METRICS_PORT",
    ),
    ({"egress_test_networks": "127.0.0.0/8"}, "VENDORRISK_EGRESS_TEST_NETWORKS is for tests"),
    ({"egress_test_ports": "80=8080", "environment": "test"}, "works only with VENDORRISK_EGRESS_TEST_NETWORKS"),
    ({"storage_s3_access_key_id": "AKIA"}, "It needs VENDORRISK_STORAGE_S3_SECRET_ACCESS_KEY beside it"),
)


def wrong_values() -> Iterator[tuple[str, str]]:
    for field, values in WRONG.items():
        for value in values:
            yield field, value
