"""`GET /`: a person who opens the address is told what this is, by a page that runs nothing."""

import re
from html.parser import HTMLParser

import pytest

from tests.client import Client
from tests.conftest import client_of
from vendorrisk.app import Api
from vendorrisk.release import VERSION
from vendorrisk.web.plain_pages import plain_page

pytestmark = pytest.mark.anyio


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.links += [str(value) for name, value in attrs if name in {"href", "src", "action"}]


async def test_the_start_page_says_what_this_is_without_a_key_and_its_links_lead_somewhere(api: Api) -> None:
    anybody = client_of(api, None)
    page = await anybody.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "third-party risk management" in page.text
    assert VERSION in page.text
    tags = Tags(page.text)
    assert set(tags.names).isdisjoint({"script", "form", "img", "iframe", "link"})
    assert tags.links == ["/docs", "/openapi.json", "/health/ready"]
    for link in tags.links[:2]:
        assert (await anybody.get(link)).status_code == 200


async def test_its_policy_allows_its_own_style_and_nothing_else(client: Client) -> None:
    page = await client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert len(re.findall("<style>", page.text)) == 1
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_it_tells_nothing_of_a_tenant(client: Client) -> None:
    assert "Acme" not in (await client.get("/")).text


def test_what_a_page_is_given_is_text() -> None:
    page = plain_page("start.html", version="<script>alert(1)</script>")
    assert "<script" not in page.content
    assert "&lt;script&gt;" in page.content


async def test_other_methods_and_paths_stay_problems(client: Client) -> None:
    assert (await client.post("/", {})).status_code == 405
    assert (await client.get("/nothing")).json()["code"] == "not_found"
