"""The documentation page: whole, escaped, without script or other hosts, and readable in a browser."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from tests.client import Client
from tests.whole.surface import operations, unopened_app
from vendorrisk.app import Api
from vendorrisk.openapi import docs_page
from vendorrisk.openapi import docs_page_examples as examples

pytestmark = pytest.mark.anyio

CHROMIUM = "/usr/bin/chromium"
HAS_CHROMIUM = Path(CHROMIUM).exists()


class Page(HTMLParser):
    """Collects what a test asks about: elements, ids, links, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, attribute: str) -> list[str]:
        return [found for _, attributes in self.tags if (found := attributes.get(attribute))]


async def test_the_page_shows_every_operation_its_permission_and_its_refusals(api: Api, client: Client) -> None:
    response = await client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(response.text)
    for operation in operations(api):
        assert operation.name in page.all("id")
        assert f"#{operation.name}" in page.all("href")
        assert operation.permission.value in page.text
    for name in api.litestar.state.document["components"]["schemas"]:
        assert f"schema-{name}" in page.all("id")
    for code in ("member_email_taken", "if_match_required", "idempotency_key_reused", "cursor_invalid"):
        assert code in page.text


async def test_the_page_shows_what_webhooks_are_sent_and_what_their_responses_mean(api: Api, client: Client) -> None:
    page = Page((await client.get("/docs")).text)
    for name in api.litestar.state.document["webhooks"]:
        assert f"webhook-{name}" in page.all("id")
        assert f"#webhook-{name}" in page.all("href")
    for words in ("webhook-signature", "alert.review_due", "It is not sent again", "The delivery ends at once"):
        assert words in page.text


async def test_the_page_shows_how_to_call_an_operation_and_who_may(client: Client) -> None:
    page = Page((await client.get("/docs")).text)
    assert "-H 'If-Match: \"1\"'" in page.text
    assert 'curl -X POST "$API/v1/vendors" \\' in page.text
    assert "/v1/vendors/search?q=acme" in page.text
    assert "procurement" in page.text
    assert "1 to 200 characters" in page.text


async def test_the_page_is_sent_packed_and_not_again_while_it_is_the_same(client: Client) -> None:
    plain = await client.get("/docs", headers={"accept-encoding": "identity"})
    packed = await client.get("/docs", headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) * 5 < len(plain.content)
    again = await client.get("/docs", headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/docs", headers={"if-none-match": 'W/"other"'})).status_code == 200


async def test_the_page_leaves_no_value_to_the_imagination(client: Client) -> None:
    page = Page((await client.get("/docs")).text)
    assert "…" not in page.text
    assert "Alder Analytics" in page.text, "responses are those of the demo tenant"


def test_an_example_of_an_answer_fits_its_schema() -> None:
    api = unopened_app()
    document = api.litestar.state.document
    faults = []
    for operation in operations(api):
        shown = examples.response_examples(examples.Operation(operation.method, operation.path, operation.document))
        for status, text in shown:
            schema = operation.document["responses"][status]["content"]["application/json"]["schema"]
            whole = {**schema, "components": document["components"]}
            found = Draft202012Validator(whole).iter_errors(msgspec.json.decode(text))
            faults += [f"{operation.name}: {error.message[:200]}" for error in found]
    assert "\n".join(faults) == ""


async def test_every_link_of_the_page_leads_somewhere_and_ids_stand_once(client: Client) -> None:
    page = Page((await client.get("/docs")).text)
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    for link in page.all("href"):
        assert link in {"/openapi.json", "data:,"} or link.removeprefix("#") in ids, link
    assert set(page.all("aria-labelledby")) <= set(ids)


async def test_the_page_has_no_script_and_names_no_other_host(client: Client) -> None:
    response = await client.get("/docs")
    page = Page(response.text)
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "img", "object", "form", "base"} == set()
    assert page.all("src") == []
    assert page.all("style") == []
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]+'(;|$)", policy)


def test_what_stands_in_the_document_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>`</code><b>`\n\n- <i>x</i>"
    operation = {
        "operationId": "get_evil",
        "summary": evil,
        "description": evil,
        "tags": [evil],
        "parameters": [{"name": evil, "in": "query", "description": evil, "schema": {"enum": [evil]}, "example": evil}],
        "responses": {"200": {"description": evil, "content": {evil: {"schema": {"$ref": evil}, "example": evil}}}},
    }
    schema = {"description": evil, "properties": {evil: {"type": evil, "description": evil, "examples": [evil]}}}
    made = docs_page.page(
        {
            "info": {"title": evil, "version": evil, "description": evil},
            "paths": {evil: {"get": operation}},
            "components": {"schemas": {evil: schema}},
        }
    )
    assert {tag for tag, _ in Page(made).tags} & {"script", "b", "i"} == set()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_shows_the_page_without_errors_or_other_hosts(client: Client, scheme: Any) -> None:
    from playwright.async_api import Route, async_playwright

    if not HAS_CHROMIUM:
        unmet = pytest.fail if os.environ.get("TEST_NEEDS_BROWSER") else pytest.skip
        unmet(f"{CHROMIUM} is missing: apt-get install -y chromium")
    asked, errors = [], []

    async def response(route: Route) -> None:
        asked.append(route.request.url)
        plain = {"accept-encoding": "identity"}
        found = await client.get(route.request.url.removeprefix("http://testserver"), headers=plain)
        await route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 800})
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.route("**/*", response)
        await page.goto("http://testserver/docs")
        assert (await page.title()).startswith("vendorrisk")
        await page.locator("nav").get_by_role("link", name="POST Add member", exact=True).click()
        assert page.url.endswith("#add_member")
        assert await page.locator("#add_member").is_visible()
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(253, 253, 252)" if scheme == "light" else "rgb(22, 24, 28)"), "the style is applied"
        await page.keyboard.press("Control+Home")
        await page.reload()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip", "the keyboard can skip the list"
        assert await page.locator(".skip").is_visible()
        refusals = page.locator("#add_member summary", has_text="Refusals")
        await refusals.press("Enter")
        assert await page.locator("#add_member").get_by_text("member_email_taken").is_visible()
        beside = await page.locator("#add_member .two").evaluate("e => getComputedStyle(e).display")
        assert beside == "grid", "where there is room, the example stands beside the text"
        await page.set_viewport_size({"width": 375, "height": 700})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 375, "a phone scrolls one way only"
        await browser.close()
    assert errors == []
    assert {url.partition("#")[0] for url in asked} == {"http://testserver/docs"}
