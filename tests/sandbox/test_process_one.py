"""As process 1 of a container, a service reads files as anywhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.make import pdf, workbook

_NAMESPACE = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--pid", "--fork", "--kill-child"]
_SERVICE = """
import asyncio, os, sys
from pathlib import Path
from uuid import UUID
from vendorrisk.sandbox.running import Input, Sandbox
from vendorrisk.sheets.files import THOROUGH, table_of
from vendorrisk.sheets.reading import FileFormat
from vendorrisk.texts.pdf import extract

async def load():
    return Input.of(Path(sys.argv[1]).read_bytes())

async def main():
    sandbox = Sandbox()
    async with table_of(FileFormat.XLSX, load, THOROUGH, sandbox, on_behalf_of=UUID(int=0)) as table:
        page = await sandbox.run(extract, Path(sys.argv[2]).read_bytes())
        print(os.getpid(), table.row_count, page.pages[0].strip())

asyncio.run(main())
"""


def test_a_workbook_and_a_pdf_are_read_by_process_1(tmp_path: Path) -> None:
    if subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no PID namespace")
    (tmp_path / "book.xlsx").write_bytes(workbook(rows=3))
    (tmp_path / "report.pdf").write_bytes(pdf("A page that can be read"))
    done = subprocess.run(
        [*_NAMESPACE, sys.executable, "-c", _SERVICE, str(tmp_path / "book.xlsx"), str(tmp_path / "report.pdf")],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split(maxsplit=2) == ["1", "3", "A page that can be read\n"], done.stderr
