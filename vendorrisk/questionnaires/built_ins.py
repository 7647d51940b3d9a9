"""The questionnaires that come with the service, and their adoption into a tenant.

Their files are those of their authors, unchanged, with licence and notice beside them. A file is converted when it is
first asked for. The result is kept, because the files never change.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Final

import msgspec

from vendorrisk.access.records import found
from vendorrisk.access.work import Work
from vendorrisk.questionnaires import publication, queries, service
from vendorrisk.questionnaires.content import Content, canonical, content_of
from vendorrisk.questionnaires.freezing import frozen
from vendorrisk.questionnaires.model import (
    BuiltIn,
    BuiltIns,
    FrozenContent,
    NewQuestionnaire,
    Questionnaire,
    QuestionnaireSource,
)
from vendorrisk.questionnaires.oscal import content_of_catalog
from vendorrisk.questionnaires.vsaq import content_of_vsaq

_FOLDER: Final = Path(__file__).with_name("built_in")


_GOOGLE: Final = "Copyright 2016 Google Inc. Apache License 2.0. Converted from https://github.com/google/vsaq."
_SINGLE_SIGN_ON: Final = (
    "Single sign-on. Do you do all of this?\n"
    "- Let customers sign in by a federated identity provider, over a current industry standard protocol\n"
    "- Offer it without additional cost"
)


def _mvsp(raw: bytes) -> Content:
    """Convert the catalogue. Its control 2.1 repeats the statement of 1.1, so the question follows the guidance."""
    plain = msgspec.json.decode(canonical(content_of_catalog(raw, "mvsp")))
    asked = {question["key"]: question for section in plain["sections"] for question in section["questions"]}
    single_sign_on = asked["ctl_2.1-mvsp"]
    single_sign_on["text"]["en"] = _SINGLE_SIGN_ON
    single_sign_on["help"]["en"] = single_sign_on["help"]["en"].partition("\n\n")[2]
    return content_of(plain)


class _File(msgspec.Struct, frozen=True):
    """A file of the folder `built_in`, its licence, and the function that converts it."""

    name: str
    source: QuestionnaireSource
    licence: str
    licence_note: str
    convert: Callable[[bytes], Content]


_FILES: Final[Mapping[str, _File]] = {
    "baseline": _File(
        "baseline.json",
        QuestionnaireSource.BASELINE,
        "Apache-2.0",
        "Vendor security baseline, part of vendorrisk. Apache License 2.0.",
        content_of,
    ),
    "mvsp": _File(
        "mvsp.json",
        QuestionnaireSource.MVSP,
        "CC0-1.0",
        "Minimum Viable Secure Product v3.0-20231109, https://mvsp.dev. CC0 1.0 Universal.",
        _mvsp,
    ),
    **{
        f"vsaq-{name}": _File(
            f"vsaq_{file}.json",
            QuestionnaireSource.VSAQ,
            "Apache-2.0",
            _GOOGLE,
            partial(content_of_vsaq, key=f"vsaq-{name}", licence="Apache-2.0"),
        )
        for name, file in (
            ("webapp", "webapp"),
            ("infrastructure", "infrastructure"),
            ("physical", "physical_and_datacenter"),
            ("programs", "security_privacy_programs"),
        )
    },
}
"""Key of the questionnaire → its file."""


class _Converted(msgspec.Struct, frozen=True):
    content: Content
    form: FrozenContent
    shown: BuiltIn


@cache
def _converted(key: str) -> _Converted:
    file = _FILES[key]
    content = msgspec.structs.replace(file.convert((_FOLDER / file.name).read_bytes()), key=key)
    form = frozen(content)
    shown = BuiltIn(
        key=key,
        title=content.title[content.default_language],
        description=(content.description or {}).get(content.default_language),
        source=file.source,
        licence=file.licence,
        licence_note=file.licence_note,
        question_count=form.question_count,
        weight_total=form.weight_total,
        content_sha256=form.sha256,
    )
    return _Converted(content, form, shown)


def keys() -> tuple[str, ...]:
    """Return the keys of all built-in questionnaires."""
    return tuple(sorted(_FILES))


def built_in_content(key: str) -> Content:
    """Return the content of a built-in questionnaire."""
    return _converted(key).content


async def all_of_them() -> BuiltIns:
    """Return all built-in questionnaires. The first call converts them."""
    converted = await asyncio.to_thread(lambda: [_converted(key) for key in keys()])
    return BuiltIns([one.shown for one in converted])


async def adopt(work: Work, key: str) -> Questionnaire:
    """Copy a built-in questionnaire into the tenant, published as version 1."""
    found(_FILES.get(key))
    one = await asyncio.to_thread(_converted, key)
    new = NewQuestionnaire(
        key=key, title=one.shown.title, description=one.shown.description, licence_note=one.shown.licence_note
    )
    made = await service.created(work, new, one.shown.source)
    draft = await queries.insert_draft(work, made.id, one.form)
    await publication.published(work, draft, one.content, None)
    return await service.questionnaire(work, made.id)
