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

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 40
LONGER: dict[str, int] = {}
"""Files that are longer, each with its bound and its reason beside it. May only shrink."""

LONGER_FUNCTIONS = {"background.py arq_worker": 46}  # one call to arq, each of whose arguments is a decision

AGREED = {"__init__", "model", "rules", "queries", "service", "routes", "jobs", "render"}
"""The names of house rule 2; any other file is explained in its package's `__init__`."""

PURE = (
    *("*/rules.py", "*/render.py", "access/permissions.py", "channels/*_form.py"),
    *("vendors/tiering.py", "vendors/identifiers.py", "vendors/import_columns.py", "normal_form.py"),
    *("imports/cells.py", "imports/columns.py", "sheets/formulas.py"),
    *("evidence/coverage.py", "evidence/criteria.py", "evidence/policy.py", "evidence/report_text.py"),
    *("evidence/extract_lists.py", "evidence/phrases.py", "texts/text.py", "texts/written_dates.py"),
    *("evaluation/*.py", "probes/dns/takeover.py"),
    *("questionnaires/comparison.py", "questionnaires/condition_*.py", "questionnaires/content*.py"),
    *("questionnaires/answer_space.py", "questionnaires/question_checks.py", "questionnaires/reachability.py"),
    *("questionnaires/respondent_view.py", "questionnaires/visibility.py"),
    *("signals/schedule.py", "signals/finding_rules.py", "signals/shared_assets.py", "signals/score_inputs.py"),
)
"""Where decisions are made: no I/O, no clock, nothing awaited, and nothing imported that does either."""

DOCUMENTS = (
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "SECURITY.md", "CHANGELOG.md"),
    *("docker/README.md", "sql/README.md", "tests/README.md", "tests/bench/README.md", "tests/probes/README.md"),
)
_OUT = {
    "httpx": {"egress"},
    "httpcore": {"egress"},
    "aiosmtplib": {"channels"},
    "smtplib": set(),
    "requests": set(),
    "aiohttp": set(),
    "urllib.request": set(),
    "http.client": {"embedded"},  # the supervisor asks its own API on loopback whether it is ready
    # Free ports, socket files of its own servers and options of one, the host's name. Pairs of sockets between the
    # service and its children.
    "socket": {"egress", "embedded", "sandbox", "serving.py", "processes"},
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
        if lines > LONGER.get(place(path), MOST_LINES):
            faults.append(f"{place(path)} has {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGER_FUNCTIONS.get(f"{place(path)} {node.name}", MOST_LINES_OF_A_FUNCTION):
                    faults.append(f"{place(path)} {node.name}() has {length} lines")
    assert faults == []


def test_what_is_excused_from_being_short_still_needs_it() -> None:
    idle = [name for name in LONGER if len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) <= MOST_LINES]
    assert idle == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    never = {"utils", "helpers", "common", "base", "misc", "manager", "data", "handle", "util", "helper"}
    assert [place(path) for path in PACKAGE.rglob("*.py") if path.stem in never] == []


def test_every_file_beyond_the_agreed_names_is_explained_in_its_package() -> None:
    faults = []
    for path, tree in sources():
        if path.name == "__init__.py" and path.parent != PACKAGE:
            told = ast.get_docstring(tree) or ""
            # `import_…` explains every file that begins so, `…_queries` every one that ends so.
            words = [re.escape(word).replace("…", r"\w+") for word in re.findall(r"[\w…]+", told)]
            explained = re.compile("|".join(words))
            there = {other.stem for other in path.parent.glob("*.py")} - AGREED
            faults += [f"{path.parent.name}/{stem}.py" for stem in sorted(there) if not explained.fullmatch(stem)]
    assert faults == []


def test_a_handler_decides_nothing() -> None:
    deciding = (ast.If, ast.IfExp, ast.Match, ast.For, ast.AsyncFor, ast.While, ast.Try)
    found, faults = 0, []
    for path, tree in sources():
        for node in ast.walk(tree):
            if path.stem.endswith("routes") and isinstance(node, ast.AsyncFunctionDef) and node.decorator_list:
                found += 1
                if any(isinstance(inside, deciding) for inside in ast.walk(node)):
                    faults.append(f"{place(path)} {node.name}")
    assert found > 100
    assert faults == []


def test_rules_are_pure() -> None:
    faults, pure = [], {path for pattern in PURE for path in PACKAGE.glob(pattern)}
    assert len(pure) > 30
    for path in sorted(pure):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{place(path)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncWith | ast.AsyncFor):
                faults.append(f"{where} waits")
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "monotonic", "perf_counter"}:
                faults += [f"{where} looks at the clock"] if isinstance(node.value, ast.Name) else []
            if isinstance(node, ast.ImportFrom) and re.search(r"\.(db|http)\.|queries$", node.module or ""):
                # The rows that a statement fills are types like any other.
                faults += [f"{where} imports {name.name}" for name in node.names if not name.name[0].isupper()]
    assert faults == []


def test_statements_stand_only_under_sql() -> None:
    """But for the ledger of migrations, the reader of the catalogue, and the making of a database: they come before."""
    statement = re.compile(r"^\s*(select|insert into|update|delete from|with \w+ as)\s", re.IGNORECASE)
    faults = [
        f"{place(path)}:{node.lineno}"
        for path, tree in sources()
        if place(path).split("/")[0] not in {"db", "embedded"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.match(node.value)
    ]
    assert faults == []


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


def test_every_exception_to_a_rule_names_the_rule_and_says_why() -> None:
    excused = re.compile(r"#\s*(noqa|type: ignore)\b")
    whole = re.compile(r"#\s*(noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \w|type: ignore\[[a-z-]+(, [a-z-]+)*\]\s+# \w)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(
            {*PACKAGE.rglob("*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob(".ci/*.py")} - {Path(__file__)}
        )
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if excused.search(line) and not whole.search(line)
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
        for found in mentioned((ROOT / name).read_text(encoding="utf-8")):
            plain = found.rstrip("/")
            if not re.fullmatch(r"[\w.-]+(/[\w.*-]+)+", plain) or plain.split("/")[0] not in tops:
                continue
            if not list(ROOT.glob(plain)):
                missing.append(f"{name}: {found}")
    assert missing == []


def test_every_command_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    from vendorrisk.__main__ import main

    commands = set(main.commands)  # type: ignore[attr-defined]  # a click group
    missing = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        # In prose between backticks, in blocks at the beginning of a line or behind its prompt.
        made = re.findall(r"(?:`|^\$? ?)make ([a-z-]+)", text, re.MULTILINE)
        missing += [f"{name}: make {target}" for target in made if target not in targets]
        called = re.findall(r"(?:`|^\$ ?|-m )vendorrisk ([a-z-]+)", text, re.MULTILINE)
        missing += [f"{name}: {c}" for c in called if c not in commands]
    assert missing == []


def test_the_architecture_names_every_folder_and_every_module_beside_them() -> None:
    named = set(mentioned((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    folders = {f"vendorrisk/{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert (folders | modules) - named == set()
