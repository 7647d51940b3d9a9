"""A Python client is generated from the document by a tool of others, compiled, and used against the service."""

import compileall
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Company
from tests.whole.test_document import COMMITTED, document
from vendorrisk.app import Api
from vendorrisk.openapi.examples import written

pytestmark = pytest.mark.anyio

_BIN = Path(sys.executable).parent
_OF_FILES = "Unsupported content type (text/csv|application/vnd.openxmlformats-officedocument.spreadsheetml.sheet)"
"""What the tool has no word for: bodies that are spreadsheets."""


class Generated:
    """The generated package: its operations and its models, by name."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    def operation(self, tag: str, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = importlib.import_module(f"{self.name}.api.{tag}.{name}").asyncio_detailed
        return found

    def model(self, name: str) -> Any:
        return getattr(importlib.import_module(f"{self.name}.models"), name)

    def client(self, api: Api, key: str) -> Any:
        made = importlib.import_module(f"{self.name}.client").AuthenticatedClient
        transport = {"transport": httpx.ASGITransport(app=api)}  # type: ignore[arg-type]  # httpx and Litestar name ASGI differently
        return made(base_url="http://testserver", token=key, httpx_args=transport, raise_on_unexpected_status=True)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("client")
    name = f"client_{uuid4().hex[:8]}"
    ran = subprocess.run(
        [
            _BIN / "openapi-python-client",
            "generate",
            "--path",
            COMMITTED,
            "--meta",
            "none",
            "--output-path",
            folder / name,
        ],
        cwd=folder,
        env={**os.environ, "PATH": f"{_BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    lines = [line for line in said.splitlines() if re.match(r"(Unable|Unsupported|Cannot|Failure|ERROR)", line)]
    assert [line for line in lines if not re.fullmatch(_OF_FILES, line)] == [], said
    assert compileall.compile_dir(folder / name, quiet=1)
    sys.path.insert(0, str(folder))
    yield Generated(name, folder / name)
    sys.path.remove(str(folder))


def test_the_client_has_every_operation_and_every_schema(generated: Generated) -> None:
    made = {path.stem for path in (generated.folder / "api").glob("*/*.py")} - {"__init__"}
    named = {operation["operationId"] for item in document()["paths"].values() for operation in item.values()}
    assert named - made == set()
    for name in ("Vendor", "NewVendor", "VendorChanges", "Problem", "BulkResults", "Soc2Report", "AlertData"):
        assert generated.model(name)


async def test_the_client_registers_reads_changes_and_lists_as_the_document_says(
    generated: Generated, api: Api, company: Company
) -> None:
    new, changes = generated.model("NewVendor"), generated.model("VendorChanges")
    async with generated.client(api, company.key.secret) as client:
        register = generated.operation("vendors", "register_vendor")
        made = await register(client=client, body=new(name="Nimbus", tags=["cloud"]), idempotency_key="once")
        again = await register(client=client, body=new(name="Nimbus", tags=["cloud"]), idempotency_key="once")
        assert (made.status_code, again.parsed.id) == (201, made.parsed.id)
        assert isinstance(made.parsed.id, UUID)
        change = generated.operation("vendors", "change_vendor")
        body, etag = changes(description="Hosts our mail"), made.headers["etag"]
        changed = await change(made.parsed.id, client=client, body=body, if_match=etag)
        assert (changed.parsed.description, changed.parsed.tags, changed.parsed.version) == (
            "Hosts our mail",
            ["cloud"],
            2,
        )
        await register(client=client, body=new(name="Globex"))
        page = await generated.operation("vendors", "list_vendors")(
            client=client, filter_=["name:eq:Nimbus"], total=True
        )
        assert ([row.name for row in page.parsed.items], page.parsed.total) == (["Nimbus"], 1)


async def test_the_client_reads_refusals_and_the_results_of_rows(
    generated: Generated, api: Api, company: Company
) -> None:
    new, changes, problem = (generated.model(name) for name in ("NewVendor", "VendorChanges", "Problem"))
    async with generated.client(api, company.key.secret) as client:
        register = generated.operation("vendors", "register_vendor")
        made = await register(client=client, body=new(name="Nimbus"))
        twin = await register(client=client, body=new(name="Nimbus"))
        assert isinstance(twin.parsed, problem)
        assert (twin.status_code, twin.parsed.code) == (409, "vendor_name_taken")
        assert twin.parsed.errors[0].pointer == "/name"
        change = generated.operation("vendors", "change_vendor")
        stale = await change(made.parsed.id, client=client, body=changes(name="X"), if_match='"7"')
        assert (stale.status_code, stale.parsed.code) == (412, "version_stale")
        rows = generated.model("VendorsBulkRegistrations").from_dict(
            {"items": [{"name": "Nimbus"}, {"name": "Globex"}]}
        )
        told = (await generated.operation("vendors", "register_vendors")(client=client, body=rows)).parsed
        assert (told.done, told.failed, told.items[0].code) == (1, 1, "vendor_name_taken")
        assert told.items[0].errors[0].pointer == "/items/0/name"
    async with generated.client(api, "vr_key_none") as nobody:
        refused = await generated.operation("identity", "get_caller")(client=nobody)
        assert (refused.status_code, refused.parsed.code) == (401, "credentials_invalid")


def test_the_client_reads_values_and_fields_that_a_later_release_adds(generated: Generated) -> None:
    shown = written().responses
    vendor = {**shown["get_vendor"]["200"], "lifecycle": "paused", "tier": "extreme", "invented_later": 1}
    read = generated.model("Vendor").from_dict(vendor)
    assert (read.lifecycle, read.tier, read.to_dict()["invented_later"]) == ("paused", "extreme", 1)
    alert = {**shown["get_alert"]["200"], "alert_class": "asteroid_near"}
    assert generated.model("Alert").from_dict(alert).alert_class == "asteroid_near"
    refusal = {"type": "urn:x", "title": "T", "status": 409, "detail": "D", "code": "invented_later"}
    assert generated.model("Problem").from_dict(refusal).code == "invented_later"


def test_the_client_knows_which_values_may_be_sent(generated: Generated) -> None:
    assert generated.model("Lifecycle")("active") == "active"
    with pytest.raises(ValueError, match="paused"):
        generated.model("Lifecycle")("paused")
    assert generated.model("NewVendor")(name="Nimbus").to_dict() == {"name": "Nimbus"}, "no default is sent along"


def test_the_client_reads_every_example_of_a_response(generated: Generated) -> None:
    read = 0
    for item in document()["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                shown = response.get("content", {}).get("application/json", {})
                if "example" in shown and "$ref" in shown["schema"]:  # a file has no model
                    name = shown["schema"]["$ref"].rpartition("/")[2]
                    assert generated.model(name).from_dict(shown["example"]), (operation["operationId"], status)
                    read += 1
    assert read > 100
