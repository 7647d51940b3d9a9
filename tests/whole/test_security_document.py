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
