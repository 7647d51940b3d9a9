"""The names of the API: actions are nouns, operations are verbs of a few kinds, schemas say what they are."""

import re

import pytest

from tests.whole.surface import Operation, operations, unopened_app
from vendorrisk.http.routing import Kind

ONCE = {
    *("acceptance", "adoption", "approval", "check", "decision", "publication", "rejection", "retirement"),
    "withdrawal",
}
"""Actions that a record has once."""

MANY = {
    *("confirmations", "refreshes", "resends", "reviews", "rotations", "tests", "transitions"),
    "vendor-rating-imports",
}
"""Actions that make something each time: an attempt, an entry of a history, a record."""

BULK = re.compile(r"bulk(?:-[a-z]+)*s")

VERBS = {
    "GET": {"get", "list", "search", "export"},
    "PATCH": {"change"},
    "PUT": {"set", "answer", "resolve", "store", "add", "open", "register"},
    "DELETE": {"remove", "revoke", "cancel"},
}
"""The verbs of the operations that are no POST: a POST has the verb of its trade."""


def last_fixed_segment(operation: Operation) -> str:
    return [part for part in operation.path.split("/") if "{" not in part][-1]


def posts(kind: Kind) -> list[Operation]:
    return [one for one in operations(unopened_app()) if one.method == "POST" and one.kind is kind]


def test_what_makes_something_is_a_plural() -> None:
    assert len(posts(Kind.CREATE)) > 15
    assert [one.path for one in posts(Kind.CREATE) if not last_fixed_segment(one).endswith("s")] == []


def test_an_action_is_a_noun_of_the_list() -> None:
    actions = {last_fixed_segment(one) for one in posts(Kind.ACT)}
    assert {action for action in actions - ONCE - MANY if not BULK.fullmatch(action)} == set()
    assert (ONCE | MANY) - actions == set(), "each of the lists is in use"
    assert [action for action in MANY if not action.endswith("s")] == []


def test_an_action_that_leads_to_what_it_made_is_a_plural() -> None:
    made = [one for one in posts(Kind.ACT) if "201" in one.document["responses"]]
    assert made
    assert [one.path for one in made if last_fixed_segment(one) not in MANY] == []


@pytest.mark.parametrize("method", sorted(VERBS))
def test_operations_of_one_method_have_the_same_few_verbs(method: str) -> None:
    found = {one.name.partition("_")[0] for one in operations(unopened_app()) if one.method == method}
    assert found - VERBS[method] == set()


def test_a_policy_is_read_with_get_and_replaced_with_set() -> None:
    policies = {one.name for one in operations(unopened_app()) if "-policy" in one.path or "-policies/" in one.path}
    assert len(policies) >= 8
    assert [name for name in policies if not re.match(r"(get|set)_\w+_policy$", name)] == []


def test_a_list_is_named_a_list_and_a_single_record_is_not() -> None:
    for one in operations(unopened_app()):
        if one.method == "GET" and one.of is not None and not one.name.startswith("export_"):
            assert one.name.startswith("list_"), one.name
        elif one.kind is Kind.READ:
            assert not one.name.startswith("list_"), one.name
