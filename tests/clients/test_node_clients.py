"""Clients that others make of the document with Node: each does a tenant's work against a running API.

Skipped unless TEST_NEEDS_NODE is set, as in CI: Node and `npm ci` in this folder are not needed for the other tests.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Company
from tests.http.test_drain import Api
from tests.whole.test_document import COMMITTED, document
from vendorrisk.settings import Settings

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.node,
    pytest.mark.skipif("TEST_NEEDS_NODE" not in os.environ, reason="TEST_NEEDS_NODE is not set"),
]

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
_SECONDS = 300  # the compiler takes ten of them on a machine that does nothing else
_NEEDS_MORE = {
    "Get document file": "document_without_file",  # it comes before the request that stores one
    "Get finding signal": "finding_without_signal",  # a person opened the finding
    "Get offboarding step": "offboarding_not_begun",
    "Resolve offboarding step": "offboarding_not_begun",
    "Record vendor review": "vendor_not_reviewed",  # the vendor is only being onboarded
    "Approve intake request": "four_eyes_needed",
    "Reject intake request": "four_eyes_needed",
    "Record proposed report": "proposals_incomplete",
    "Record proposed letter": "proposals_incomplete",
    "Test receiver": "receiver_unconfirmed",  # its address is confirmed by a link in a mail
    "Cancel vendor import": "import_not_ready",  # it is applied already
    "Set questionnaire draft": "questionnaire_retired",  # retiring comes before what is below
    "Remove questionnaire draft": "not_found",
    "Publish questionnaire draft": "questionnaire_retired",
    "Get questionnaire version": "not_found",  # so none was published
    "Export questionnaire version": "not_found",
    "Get questionnaire comparison": "not_found",
}
"""What a fresh tenant with one key cannot have yet. Its refusal is a conflict of state, never of an example."""


@pytest.fixture
def serving(settings: Settings) -> Iterator[Api]:
    made = Api(settings)
    yield made
    made.shut_down()


async def run(folder: Path, *command: str | Path, **environment: str) -> str:
    """Run a program of Node in a folder, and return its output."""
    ran = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


async def test_a_typescript_client_does_the_work_of_a_tenant(serving: Api, company: Company, tmp_path: Path) -> None:
    for source in (HERE / "typescript").iterdir():
        shutil.copy(source, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(MODULES)
    await run(tmp_path, MODULES / ".bin" / "openapi-typescript", COMMITTED, "--output", "schema.d.ts")
    await run(tmp_path, MODULES / ".bin" / "tsc", "--strict", "--project", ".", "--pretty", "false")
    url = f"http://127.0.0.1:{serving.port}"
    said = await run(tmp_path, "node", "built/work.js", VENDORRISK_URL=url, VENDORRISK_KEY=company.key.secret)
    assert said.splitlines()[-1] == "the work is done for Nimbus"


async def test_a_postman_collection_is_not_refused_for_its_own_examples(
    serving: Api, company: Company, tmp_path: Path
) -> None:
    url, report = f"http://127.0.0.1:{serving.port}", tmp_path / "report.json"
    await run(HERE, "node", "postman.mjs", COMMITTED, report, VENDORRISK_URL=url, VENDORRISK_KEY=company.key.secret)
    rows = json.loads(report.read_text())
    operations = [operation for item in document()["paths"].values() for operation in item.values()]
    assert len(rows) == len(operations)
    failed = [row for row in rows if row["failure"] or row["status"] >= 500]
    refused = [row for row in rows if 400 <= row["status"] < 500]
    unknown = [row for row in refused if row["status"] == 404 and row["names_an_example"]]
    told = {row["name"]: row["problem"]["code"] for row in refused if row not in unknown}
    assert failed == []
    assert {row["status"] for row in refused} <= {404, 409}, told
    assert told == _NEEDS_MORE, "what is excused still needs it, and nothing else is refused"
    assert len(refused) < len(rows) / 4
