"""The OpenAPI document as one readable page: no script, no font, no other host."""

from typing import Any

POLICY = "default-src 'none'"


def page(document: dict[str, Any]) -> str:
    return f"<!doctype html><title>{document['info']['title']}</title>"
