"""SECURITY.md: every test it calls as a witness exists, every chapter is there, and it names no route that is not."""

import ast
import re
from functools import cache
from pathlib import Path

import vendorrisk
from tests.whole.surface import operations, unopened_app

ROOT = Path(vendorrisk.__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@cache
def functions_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in found}


def test_every_witness_exists() -> None:
    witnesses = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
    assert len(witnesses) > 40
    missing = [
        f"{path}::{name}"
        for path, name in witnesses
        if not (ROOT / path).exists() or name not in functions_in(ROOT / path)
    ]
    assert missing == []


def test_every_chapter_of_the_standard_is_there_once_and_in_order() -> None:
    assert [int(number) for number in re.findall(r"^### V(\d+) ", TEXT, flags=re.MULTILINE)] == list(range(1, 18))


def test_every_route_it_names_exists() -> None:
    def plain(path: str) -> str:
        return re.sub(r"\{\w+(:\w+)?\}", "{}", path)

    there = {(operation.method, plain(operation.path)) for operation in operations(unopened_app())}
    named = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`]+)`", TEXT)
    assert named
    assert [f"{method} {path}" for method, path in named if (method, plain(path)) not in there] == []


def test_the_supported_version_is_this_one() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(\d+\.\d+)\.', project, flags=re.MULTILINE)
    assert version is not None
    assert f"| {version[1]}.x" in TEXT


def promises() -> list[tuple[str, str, str]]:
    """Return promise, test and bound of each row of the table of promises."""
    section = TEXT.partition("## Promises of reliability")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [(row[0].strip(), row[1].strip(), row[2].strip()) for row in rows[1:]]


def test_every_promise_has_a_witness_and_a_bound_or_says_that_no_test_shows_it() -> None:
    assert len(promises()) >= 15
    for promise, test, bound in promises():
        shown = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", test)
        if test.startswith("not shown"):
            assert (shown, bound) == ([], "none"), promise
        else:
            assert shown, promise
            assert bound not in {"", "none"}, promise
    assert len({promise for promise, _, _ in promises()}) == len(promises())


def test_what_it_says_of_unauthenticated_addresses_is_what_the_routes_are() -> None:
    """Every route without a permission is named among those that answer without a key."""
    open_ones = {
        "/" + route.path.strip("/").partition("/")[0]
        for route in unopened_app().litestar.routes
        for handler in getattr(route, "route_handlers", ())
        if "permission" not in handler.opt
        and handler.handler_name != "options_handler"
        and "_framework" not in route.path
    }
    [told] = re.findall(r"^- (`/`.*?)answer without a key", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert open_ones == set(re.findall(r"`(/[\w.]*)`", told))
