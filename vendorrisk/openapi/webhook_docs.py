"""The document's section of webhooks: the messages to a receiver, their form, and the meaning of its responses.

The features that send describe their events (`Webhook`). The form is that of Standard Webhooks.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from vendorrisk.openapi.schemas import Schema


class Webhook(msgspec.Struct, frozen=True):
    """One type of event. `body` is the Struct of every message. Its field `type` holds the name."""

    name: str
    when: str
    body: Any
    example: Any


def section(webhooks: Iterable[Webhook], shown: dict[Any, Schema]) -> Schema:
    """Return the section. `shown` holds the schema of each body."""
    return {one.name: {"post": _operation(one, shown[one.body])} for one in webhooks}


def _operation(one: Webhook, schema: Schema) -> Schema:
    typed = {"allOf": [schema, {"properties": {"type": {"const": one.name}}}]}
    return {
        "operationId": "receive_" + one.name.replace(".", "_"),
        "tags": ["Webhooks"],
        "summary": one.when,
        "description": _DESCRIPTION,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": typed, "example": one.example}},
        },
        "responses": {status: {"$ref": f"#/components/responses/{name}"} for status, name in _RESPONSES_OF.items()},
        "security": [],
    }


_DESCRIPTION = """\
Sent to receivers of the kind `webhook`, signed with the receiver's secret. Check the signature over
`webhook-id.webhook-timestamp.body` before you read the body, and drop an id that you have had: a message that may not
have arrived is sent again under its id. Fields and types are only ever added.
"""

_NAMES = {
    "webhook-id": "The same at every try of a message, and of no other message.",
    "webhook-timestamp": "When this try was made, in seconds since 1970. Reject messages older than five minutes.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 in base64, by Standard Webhooks.",
}

PARAMETERS: Schema = {
    name: {"name": name, "in": "header", "required": True, "description": words, "schema": {"type": "string"}}
    for name, words in _NAMES.items()
}
"""Components of the document: the headers of every webhook."""

RESPONSES: Schema = {
    "accepted": {"description": "Accepted. It is not sent again."},
    "gone": {"description": "Nobody listens here any more. The delivery ends at once."},
    "later": {
        "description": "Not accepted. The delivery is sent again, for most of a day, and `Retry-After` is kept to."
    },
}
"""Components of the document: the meaning of the receiver's responses."""

_RESPONSES_OF = {"2XX": "accepted", "410": "gone", "default": "later"}
