"""The readiness of an API on this machine."""

import http.client
import json
from contextlib import suppress


def is_ready(host: str, port: int) -> bool:
    """Ask an API on this machine whether it can serve."""
    return _asked(host, port)[0] == http.client.OK


def checks(host: str, port: int) -> dict[str, str]:
    """Return the state of each part in the API's own words. Empty while it does not answer."""
    with suppress(ValueError, KeyError, TypeError):
        return {str(name): str(said) for name, said in json.loads(_asked(host, port)[1])["checks"].items()}
    return {}


def _asked(host: str, port: int) -> tuple[int, bytes]:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(local, port, timeout=1)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
