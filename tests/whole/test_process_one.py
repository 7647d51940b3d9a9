"""The image's own command line as process 1 of a PID namespace and as its user: a workbook and a PDF are read.

In a container the API and the worker are process 1, unless the engine puts its own init before them. A parser's child
sees that its parent is process 1, and must not take it for a parent that died.
"""

import asyncio
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openpyxl
import pytest
from reportlab.pdfgen.canvas import Canvas

import vendorrisk
from tests.commands.make import environment
from tests.conftest import Company
from tests.embedded.make import until
from vendorrisk.embedded.home import free_port
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio
ROOT = Path(vendorrisk.__file__).parents[1]
_SECONDS = 120


@cache
def why_not() -> str:
    """Return why no PID namespace can be had here, or nothing."""
    if shutil.which("unshare") is None:
        return "util-linux's unshare is not installed"
    ran = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], check=False, capture_output=True)
    return "" if ran.returncode == 0 else f"namespaces are not allowed: {ran.stderr.decode(errors='replace').strip()}"


def command_of_image(*arguments: str) -> list[str]:
    """Return the image's entry point with another command, run by this machine's interpreter."""
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[0])
    assert entry[0] == "python"
    return [sys.executable, *entry[1:], *arguments]


def image_user() -> int:
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    return int(re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)[0])


def as_user() -> list[str]:
    """Return the words that change to the image's user, where that user can enter this checkout and its Python."""
    from vendorrisk.embedded.users import SystemUser, can_reach

    user = SystemUser("image", image_user(), image_user())
    if not (can_reach(Path(sys.executable), user) and can_reach(ROOT / "vendorrisk" / "app.py", user)):
        return []
    return [f"--setuid={user.uid}", f"--setgid={user.gid}"]


@pytest.fixture
def process_one(settings: Settings, tmp_path: Path) -> Iterator[Any]:
    """Start commands of the image, each as process 1 of a namespace of its own."""
    if reason := why_not():
        pytest.skip(reason)
    started: list[subprocess.Popen[bytes]] = []
    log = (tmp_path / "log").open("wb")

    def start(*arguments: str) -> None:
        namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL", *as_user()]
        process = subprocess.Popen(
            [*namespace, *command_of_image(*arguments)], cwd=ROOT, env=environment(settings), stdout=log, stderr=log
        )
        started.append(process)

    yield start
    for process in started:
        process.kill()
        process.wait()
    log.close()


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a file store that the image's user may write."""
    files = tmp_path / "files"
    files.mkdir(mode=0o777)
    if os.geteuid() == 0 and as_user():
        for folder in (*tmp_path.parents, tmp_path):
            if folder.name.startswith(("pytest-", "popen-")) or folder == tmp_path:
                folder.chmod(0o755)
        os.chown(files, image_user(), image_user())
    port = free_port("127.0.0.1", 0)
    return msgspec.structs.replace(settings, port=port, storage_url=f"file://{files}")


def a_workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Name", "Website"])
    book.active.append(["Fjord Analytics", "fjord-analytics.com"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def a_pdf() -> bytes:
    written = io.BytesIO()
    page = Canvas(written, invariant=1)
    page.drawString(72, 720, "SOC 2 Type 2 report for the period January 1, 2025 to December 31, 2025")
    page.save()
    return written.getvalue()


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready", timeout=5).json()["checks"]["worker"] == "ok"
    except (httpx.TransportError, KeyError, ValueError):
        return False


async def test_api_and_worker_as_process_1_read_a_workbook_and_a_pdf(
    process_one: Any, settings: Settings, company: Company
) -> None:
    process_one("api")
    process_one("worker")
    address = f"http://127.0.0.1:{settings.port}"
    await asyncio.to_thread(until, lambda: _ready(address), "API and worker live", _SECONDS)
    headers = {"authorization": f"Bearer {company.key.secret}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        sheet = {"content-type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        imported = await client.post("/v1/vendor-imports", content=a_workbook(), headers=sheet)
        assert imported.status_code < 300, imported.text
        told = await _until_not(client, f"/v1/vendor-imports/{imported.json()['id']}", "state", {"received"})
        assert (told["state"], told["to_create"]) == ("checked", 1), told
        vendor = (await client.post("/v1/vendors", json={"name": "Acme"})).json()
        new = {"vendor_id": vendor["id"], "kind": "soc2_type2", "title": "SOC 2"}
        document = await client.post("/v1/documents", json=new)
        assert document.status_code == 201, document.text
        place = f"/v1/documents/{document.json()['id']}"
        pdf = {"content-type": "application/pdf", "if-match": document.headers["etag"]}
        assert (await client.put(f"{place}/file", content=a_pdf(), headers=pdf)).status_code == 200
        read = await _until_not(client, place, "extraction", {"waiting"})
        assert read["extraction"] == "read", read


async def _until_not(client: httpx.AsyncClient, place: str, field: str, waiting: set[str]) -> dict[str, Any]:
    async with asyncio.timeout(_SECONDS):
        while True:
            shown: dict[str, Any] = (await client.get(place)).json()
            if shown.get(field) not in waiting:
                return shown
            await asyncio.sleep(0.2)
