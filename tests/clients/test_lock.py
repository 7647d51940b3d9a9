"""The lock of the packages that Node's clients need."""

import json
from pathlib import Path

LOCK = Path(__file__).with_name("package-lock.json")


def test_the_lock_holds_every_package_by_its_hash_and_by_no_address() -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert len(installed) > 100
    assert [name for name, package in installed.items() if not package.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, package in installed.items() if "resolved" in package] == []
    assert "://" not in LOCK.read_text(encoding="utf-8"), "npm writes addresses of sponsors as well: leave them out"


def test_what_is_asked_for_is_named_by_its_exact_version() -> None:
    asked = json.loads(LOCK.with_name("package.json").read_text(encoding="utf-8"))["dependencies"]
    assert [version for version in asked.values() if not version[0].isdigit()] == []
    locked = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked
