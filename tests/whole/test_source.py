"""The house rules that a program can check: layers, ways out, lengths, and that documents name what exists."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import vendorrisk

PACKAGE = Path(vendorrisk.__file__).parent
ROOT = PACKAGE.parent

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 460, 60
LONGER = {
    "evidence/model.py",  # one noun a struct; they refer to each other
}
"""Files that are longer, each with its reason beside it. May only shrink."""

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "SECURITY.md")
_OUT = {
    "httpx": {"egress"},
    "httpcore": {"egress"},
    "aiosmtplib": {"channels"},
    "smtplib": set(),
    "requests": set(),
    "aiohttp": set(),
    "urllib.request": set(),
    "http.client": {"embedded"},  # the supervisor asks its own API on loopback whether it is ready
    "socket": {"egress", "embedded"},  # free ports and socket files of its own servers
}
"""Module that reaches outside → the folders that may import it."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_imports_go_down() -> None:
    ran = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_only_the_guarded_ways_lead_out() -> None:
    faults = []
    for path, tree in sources():
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                for module, folders in _OUT.items():
                    inside = name == module or name.startswith(module + ".")
                    if inside and place(path).split("/")[0] not in folders:
                        faults.append(f"{place(path)} imports {name}")
            dials = isinstance(node, ast.Attribute) and node.attr in {"open_connection", "create_connection"}
            if dials and place(path).split("/")[0] != "egress":
                faults.append(f"{place(path)} opens a connection")
    assert faults == []


def test_files_and_functions_are_short() -> None:
    faults = []
    for path, tree in sources():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES and place(path) not in LONGER:
            faults.append(f"{place(path)} has {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MOST_LINES_OF_A_FUNCTION:
                    faults.append(f"{place(path)} {node.name}() has {length} lines")
    assert faults == []


def test_features_have_only_the_agreed_names() -> None:
    never = {"utils", "helpers", "common", "base", "misc", "manager", "data", "handle", "util", "helper"}
    assert [place(path) for path in PACKAGE.rglob("*.py") if path.stem in never] == []


def test_every_package_says_what_it_is_and_holds_no_code_there() -> None:
    faults = []
    for path, tree in sources():
        if path.name == "__init__.py":
            docstring = ast.get_docstring(tree)
            if not docstring or len(tree.body) != 1:
                faults.append(place(path))
    assert faults == []


def test_nothing_is_left_to_do_in_the_source() -> None:
    word = "TO" + "DO"
    found = [place(path) for path in PACKAGE.rglob("*.py") if word in path.read_text(encoding="utf-8")]
    assert found == []


def test_every_exception_to_a_rule_names_the_rule() -> None:
    bare = re.compile(r"#\s*(noqa(?!: [A-Z]+[0-9]+)|type: ignore(?!\[[a-z-]+))")
    found = [
        f"{place(path)}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


def mentioned(text: str) -> Iterator[str]:
    """Yield what stands between backticks, outside of blocks of code."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for found in re.findall(r"`([^`\n]+)`", prose):
        yield found.strip()


def test_every_path_that_a_document_names_exists() -> None:
    tops = {path.name for path in ROOT.iterdir()}
    missing = []
    for name in DOCUMENTS:
        document = ROOT / name
        if not document.exists():
            continue
        for found in mentioned(document.read_text(encoding="utf-8")):
            plain = found.rstrip("/")
            if not re.fullmatch(r"[\w.-]+(/[\w.*-]+)+", plain) or plain.split("/")[0] not in tops:
                continue
            if not list(ROOT.glob(plain)):
                missing.append(f"{name}: {found}")
    assert missing == []


def test_every_command_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    from vendorrisk.__main__ import main

    commands = set(main.commands)  # type: ignore[attr-defined]
    missing = []
    for name in DOCUMENTS:
        document = ROOT / name
        if not document.exists():
            continue
        text = document.read_text(encoding="utf-8")
        missing += [f"{name}: make {t}" for t in re.findall(r"`make ([a-z-]+)", text) if t not in targets]
        missing += [f"{name}: {c}" for c in re.findall(r"`vendorrisk ([a-z-]+)", text) if c not in commands]
    assert missing == []
