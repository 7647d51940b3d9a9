"""Feed bodies in their published forms, with made-up contents."""

import gzip
import json


def kev(**changes: object) -> bytes:
    rows = [
        {"cveID": "CVE-2026-1001", "vendorProject": "Lab Soft", "product": "Mail Gateway", "vulnerabilityName": "x",
         "dateAdded": "2026-11-20", "shortDescription": "x", "requiredAction": "x", "dueDate": "2026-12-11",
         "knownRansomwareCampaignUse": "Known", "notes": "", "cwes": ["CWE-79"]},
        {"cveID": "CVE-2020-2002", "vendorProject": "Lab Soft", "product": "Multiple Products",
         "vulnerabilityName": "x",
         "dateAdded": "2021-11-03", "shortDescription": "x", "requiredAction": "x", "dueDate": "2021-11-17",
         "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": []},
    ]  # fmt: skip
    file = {"title": "x", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T15:00:00.0Z", "count": len(rows),
            "vulnerabilities": rows}  # fmt: skip
    return json.dumps({**file, **changes}).encode()


EPSS_TEXT = (
    "#model_version:v2025.03.14,score_date:2026-11-23T00:00:00+0000\n"
    "cve,epss,percentile\nCVE-2026-1001,0.94321,0.999\nCVE-2020-2002,0.00012,0.02\nCVE-2019-3003,1.2e-05,0.001\n"
)
EPSS = gzip.compress(EPSS_TEXT.encode())


def breach(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "Name": "Acme2026", "Title": "Acme", "Domain": "acme.test", "BreachDate": "2026-09-01",
        "AddedDate": "2026-10-01T10:00:00Z", "ModifiedDate": "2026-10-01T10:00:00Z", "PwnCount": 12345,
        "Description": "x", "LogoPath": "x", "DataClasses": ["Passwords", "Email addresses"], "IsVerified": True,
        "IsFabricated": False, "IsSensitive": False, "IsRetired": False, "IsSpamList": False, "IsMalware": False,
    }  # fmt: skip
    return {**row, **changes}


def breaches(*rows: dict[str, object]) -> bytes:
    return json.dumps(list(rows or (breach(),))).encode()


SPOTTER = json.dumps(
    [{"id": "77", "tbs_sha256": "ab", "dns_names": ["www.acme.test", "acme.test"], "pubkey_sha256": "cd",
      "not_before": "2026-11-01T00:00:00Z", "not_after": "2027-01-30T00:00:00Z",
      "issuer": {"friendly_name": "Let's Encrypt", "name": "C=US, O=Let's Encrypt, CN=R11"}}]
).encode()  # fmt: skip
CRT_SH = json.dumps(
    [{"issuer_ca_id": 1, "issuer_name": "C=US, O=Let's Encrypt, CN=R11", "common_name": "acme.test", "id": 5,
      "name_value": "acme.test\nwww.acme.test", "entry_timestamp": "2026-11-01T01:00:00.123",
      "not_before": "2026-11-01T00:00:00", "not_after": "2027-01-30T00:00:00", "serial_number": "aa"}]
).encode()  # fmt: skip

INTERNET_DB = json.dumps(
    {"ip": "198.51.100.7", "ports": [443, 3389, 22], "cpes": ["cpe:/a:openbsd:openssh"], "hostnames": ["acme.test"],
     "tags": ["eol-product"], "vulns": ["CVE-2026-1001"]}
).encode()  # fmt: skip

BOOTSTRAP = json.dumps(
    {"version": "1.0", "publication": "2026-11-01T00:00:00Z", "description": "x",
     "services": [[["test"], ["http://rdap.test/", "https://rdap.test/"]], [["old"], ["http://rdap.old/"]]]}
).encode()  # fmt: skip


def statuspage(indicator: str = "none", *incidents: dict[str, object]) -> bytes:
    return json.dumps({
        "page": {"id": "x", "name": "Acme", "url": "https://status.acme.test"},
        "status": {"indicator": indicator, "description": "x"},
        "components": [], "scheduled_maintenances": [], "incidents": list(incidents),
    }).encode()  # fmt: skip


def incidents(*rows: dict[str, object]) -> bytes:
    page = {"id": "x", "name": "Acme", "url": "https://status.acme.test"}
    return json.dumps({"page": page, "incidents": list(rows)}).encode()


def incident(name: str, started: str, impact: str = "major", resolved: str | None = None) -> dict[str, object]:
    return {"id": name, "name": "x", "status": "x", "impact": impact, "created_at": started, "started_at": started,
            "resolved_at": resolved}  # fmt: skip
