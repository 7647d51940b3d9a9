"""How a plain page is rendered, and the headers it is sent with."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "plain.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def plain_page(template: str, *, status_code: int = 200, **values: Any) -> Response[str]:
    """Render a template with these values, each escaped."""
    style = Markup(_STYLE)  # noqa: S704 - our own file, and the policy allows no other
    html = _environment().get_template(template).render(style=style, **values)
    headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
    return Response(html, status_code=status_code, media_type="text/html", headers=headers)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
