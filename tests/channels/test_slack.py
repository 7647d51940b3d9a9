"""Slack: what vendor text may not do, what is posted, what each response means."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.make import HOOK, a_message, clock, web
from vendorrisk.channels.port import Fact, Failure, SlackConversation, SlackWebhook, Undeliverable
from vendorrisk.channels.slack import SlackBotChannel, SlackWebhookChannel
from vendorrisk.channels.slack_form import blocks, fallback
from vendorrisk.lab.http import Reply

pytestmark = pytest.mark.anyio

HOSTILE = "<!channel> & <@U123> <http://evil.example|click> \u202e\n*bold*"
API = "http://api.example.test/api/"


def hostile() -> list[dict[str, object]]:
    return blocks(
        a_message(
            title=HOSTILE,
            summary=HOSTILE,
            action=HOSTILE,
            why=HOSTILE,
            link_label=HOSTILE,
            facts=(Fact(HOSTILE, HOSTILE),),
        ),
        "k",
    )


def mrkdwn(made: object) -> list[dict[str, object]]:
    """Collect every text object that Slack would parse."""
    if isinstance(made, dict):
        own = [made] if made.get("type") == "mrkdwn" else []
        return own + [text for value in made.values() for text in mrkdwn(value)]
    return [text for value in made for text in mrkdwn(value)] if isinstance(made, list) else []


def plain_texts(made: object) -> list[dict[str, object]]:
    """Collect every text object that Slack shows as it is."""
    if isinstance(made, dict):
        own = [made] if made.get("type") == "plain_text" else []
        return own + [text for value in made.values() for text in plain_texts(value)]
    return [text for value in made for text in plain_texts(value)] if isinstance(made, list) else []


def test_vendor_text_mentions_nobody_and_links_nowhere() -> None:
    (link,) = mrkdwn(hostile())
    assert str(link["text"]).startswith("<https://risk.example.org/vendors/1|")
    assert str(link["text"]).count("<") == str(link["text"]).count(">") == 1
    texts = plain_texts(hostile())
    assert len(texts) == 5
    assert all(text["emoji"] is False for text in texts)
    assert not any("\u202e" in str(text["text"]) for text in texts)
    assert not set("<>") & set(fallback(a_message(title=HOSTILE, summary=HOSTILE)))


@pytest.mark.parametrize("name", ["_Acme_ Ltd", "`Acme`", "Acme :tada:", "*Acme*", "~Acme~", "A & <B>"])
def test_a_name_is_shown_as_it_was_written(name: str) -> None:
    shown = [text["text"] for text in plain_texts(blocks(a_message(title=name, facts=(Fact("Vendor", name),)), "k"))]
    assert name in shown
    assert f"Vendor\n{name}" in shown
    words = fallback(a_message(title=name, summary=""))
    assert not any(mark in words for mark in ("_Acme_", "`Acme`", ":tada:", "*Acme*", "~Acme~"))
    assert words.replace("\u200b", "").startswith(name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


@given(st.text(max_size=4000), st.lists(st.builds(Fact, st.text(max_size=3000), st.text(max_size=3000)), max_size=30))
def test_any_text_gives_blocks_within_slacks_limits(text: str, facts: list[Fact]) -> None:
    made = blocks(a_message(title=text, summary=text, action=text, why=text, facts=tuple(facts)), "k")
    assert len(made) <= 50
    for block in made:
        assert len(block.get("fields", [])) <= 10
        assert all(len(field["text"]) <= 2000 for field in block.get("fields", []))
    assert len(made[0]["text"]["text"]) <= 150
    texts = [str(each["text"]) for each in (*mrkdwn(made), *plain_texts(made))]
    assert all(0 < len(each) <= 3000 for each in texts)


async def test_a_webhook_gets_text_blocks_and_the_key() -> None:
    async with web(lambda _: Reply(200, [], b"ok")) as (server, fetcher):
        await SlackWebhookChannel(fetcher, clock).send(a_message(), SlackWebhook(HOOK), "key-1")
    (request,) = server.requests
    posted = json.loads(request.body)
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert posted["text"].startswith("SOC 2 report of Example Analytics expires in 30 days")
    assert posted["blocks"][0]["block_id"] == "key-1"
    assert posted["blocks"][-2]["text"]["text"] == "<https://risk.example.org/vendors/1|Open>"
    assert "button" not in request.body.decode(), "Slack warns about a button without an endpoint for clicks"


async def test_a_bot_posts_with_its_token_and_lets_slack_find_nothing_in_the_words() -> None:
    async with web(lambda _: Reply(200, [], b'{"ok":true,"ts":"17.2"}')) as (server, fetcher):
        sent = await SlackBotChannel(fetcher, clock, API).send(a_message(), SlackConversation("xoxb-1", "C1"), "key-1")
    (request,) = server.requests
    posted = json.loads(request.body)
    assert (request.path, request.headers["authorization"]) == ("/api/chat.postMessage", "Bearer xoxb-1")
    assert (posted["channel"], posted["link_names"], posted["unfurl_links"]) == ("C1", False, False)
    assert posted["metadata"]["event_payload"] == {"key": "key-1"}
    assert sent.detail == "ok 17.2"


@pytest.mark.parametrize(
    ("reply", "failure", "retryable", "wait"),
    [
        (Reply(429, [("Retry-After", "30")]), Failure.RATE_LIMITED, True, 30),
        (Reply(429, [("Retry-After", "99999999")]), Failure.RATE_LIMITED, True, 86400),
        (Reply(200, [("Retry-After", "7")], b'{"ok":false,"error":"ratelimited"}'), Failure.RATE_LIMITED, True, 7),
        (Reply(200, [], b'{"ok":false,"error":"internal_error"}'), Failure.TEMPORARY, True, None),
        (Reply(200, [], b'{"ok":false,"error":"invalid_auth"}'), Failure.REJECTED, False, None),
        (Reply(200, [], b'{"ok":false,"error":"channel_not_found"}'), Failure.REJECTED, False, None),
        (Reply(200, [], b"<html>"), Failure.TEMPORARY, True, None),
        (Reply(200, [], b"[]"), Failure.TEMPORARY, True, None),
        (Reply(500), Failure.TEMPORARY, True, None),
    ],
)
async def test_each_response_to_a_bot_has_its_meaning(
    reply: Reply,
    failure: Failure,
    retryable: object,
    wait: int | None,
) -> None:
    async with web(lambda _: reply) as (_, fetcher):
        with pytest.raises(Undeliverable) as raised:
            await SlackBotChannel(fetcher, clock, API).send(a_message(), SlackConversation("xoxb-1", "C1"), "k")
    said = raised.value
    assert (said.failure, said.retryable, said.retry_after_seconds) == (failure, retryable, wait)
    assert "xoxb" not in str(said), "a token is never in what people see"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://10.0.0.1/x", "file:///x", "http://hooks.example.test:22/"]
)
async def test_a_webhook_url_that_leads_inside_is_refused_for_good(url: str) -> None:
    async with web(lambda _: Reply()) as (server, fetcher):
        with pytest.raises(Undeliverable) as raised:
            await SlackWebhookChannel(fetcher, clock).send(a_message(), SlackWebhook(url), "k")
    assert (raised.value.failure, raised.value.retryable) == (Failure.ADDRESS_REFUSED, False)
    assert server.requests == []


async def test_a_token_that_would_add_a_header_is_refused() -> None:
    async with web(lambda _: Reply()) as (server, fetcher):
        with pytest.raises(Undeliverable, match="address_invalid"):
            await SlackBotChannel(fetcher, clock, API).send(a_message(), SlackConversation("x\r\nX-A: b", "C1"), "k")
    assert server.requests == []
