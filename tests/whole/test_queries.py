"""Every named query is claimed once, used, prepares on the migrated database, and fills exactly its Struct."""

import ast
import importlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vendorrisk
from vendorrisk.db.queries import REGISTRY, blocks, sql_folder

pytestmark = pytest.mark.anyio

ROOT = Path(vendorrisk.__file__).parent
_CLAIMS = {"rows", "scalar", "command"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def import_claimants() -> None:
    for path in {path for _, path, _ in claims()}:
        importlib.import_module(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))


def claims() -> Iterator[tuple[tuple[str, str], Path, str]]:
    """Yield ((feature, query), file, variable) for every claim in the source."""
    for path, tree in modules():
        files = {
            target.id: node.value.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            if isinstance(node.value.func, ast.Name) and node.value.func.id == "QueryFile"
            for target in node.targets
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
                continue
            call = node.value
            if isinstance(call.func, ast.Attribute) and call.func.attr in _CLAIMS:
                owner = call.func.value
                if isinstance(owner, ast.Name) and owner.id in files:
                    yield (files[owner.id], call.args[0].value), path, node.targets[0].id


def written() -> set[tuple[str, str]]:
    return {
        (path.stem, name) for path in sorted((sql_folder() / "queries").glob("*.sql")) for name in blocks(path.stem)
    }


def test_every_query_is_claimed_exactly_once_and_every_claim_is_written() -> None:
    counted = Counter(key for key, _, _ in claims())
    assert {key for key, count in counted.items() if count > 1} == set()
    assert written() - set(counted) == set(), "written, but no code claims it"
    assert set(counted) - written() == set(), "claimed, but not written"


def test_every_name_in_a_query_file_stands_once() -> None:
    for path in sorted((sql_folder() / "queries").glob("*.sql")):
        names = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("-- name:")]
        assert len(names) == len(set(names)) == len(blocks(path.stem)), path.name


def test_every_claim_and_every_function_of_a_queries_module_is_used() -> None:
    used: Counter[str] = Counter()
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used[node.id] += 1
            elif isinstance(node, ast.Attribute):
                used[node.attr] += 1
    idle = [f"{path.name}: {name}" for _, path, name in claims() if not used[name]]
    for path, tree in modules():
        if path.name.endswith("queries.py") and path.parent.name != "db":
            functions = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            idle += [f"{path.parent.name}/{path.name}: {f.name}()" for f in functions if not used[f.name]]
    assert idle == []


FITS = {
    "uuid": {"UUID"},
    "text": {"str", "enum"},
    "citext": {"str", "enum"},
    "varchar": {"str", "enum"},
    "name": {"str"},
    "int2": {"int"},
    "int4": {"int"},
    "int8": {"int"},
    "float4": {"float"},
    "float8": {"float"},
    "numeric": {"Decimal", "int", "float"},
    "bool": {"bool"},
    "timestamptz": {"datetime"},
    "date": {"date"},
    "bytea": {"bytes"},
}
"""Postgres type → what a field of its column may be declared as. Arrays and JSON are read by their members."""


def declared(kind: Any) -> set[str]:
    """Return the plain names of a field's type, without None, Annotated and the like."""
    import enum
    import types
    import typing

    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return declared(typing.get_args(kind)[0])
    if origin in {typing.Union, types.UnionType}:
        return set().union(*(declared(one) for one in typing.get_args(kind) if one is not type(None)))
    if origin is typing.Literal:
        return {type(value).__name__ for value in typing.get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum"} if issubclass(kind, str) else {"int"}
    return {getattr(origin or kind, "__name__", str(kind))}


async def test_every_query_prepares_and_its_columns_are_its_fields(owner: Any) -> None:
    import_claimants()
    faults = []
    for (feature, name), query in sorted(REGISTRY.items()):
        sql = query.sql.replace("/*where*/", "").replace("/*order*/", "")
        try:
            attributes = (await owner.prepare(sql)).get_attributes()
        except Exception as error:  # noqa: BLE001 - all that do not prepare are told together
            faults.append(f"{feature}.{name}: {error}")
            continue
        columns = {a.name: a.type.name for a in attributes}
        if query.is_struct:
            faults += [f"{feature}.{name}: {fault}" for fault in misfits(columns, query.row)]
        elif query.row is type(None):
            faults += [f"{feature}.{name}: a command returns columns"] if columns else []
        elif len(columns) != 1:
            faults.append(f"{feature}.{name}: a scalar has {len(columns)} columns")
    assert "\n".join(faults) == ""


def misfits(columns: dict[str, str], row: Any) -> Iterator[str]:
    from typing import get_type_hints

    hints = get_type_hints(row, include_extras=True)
    if set(columns) != set(hints):
        yield f"lacks {sorted(set(hints) - set(columns))}, has besides {sorted(set(columns) - set(hints))}"
    for name in set(columns) & set(hints):
        fits = FITS.get(columns[name])
        if fits is not None and not declared(hints[name]) <= fits:
            yield f"{name} is {columns[name]}, declared as {hints[name]}"
