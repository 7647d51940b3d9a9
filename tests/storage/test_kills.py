"""A process that keeps files is killed, again and again, at any point."""

import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from tests.storage.make import OLD_KEY, TENANT
from vendorrisk.keys import Keyring
from vendorrisk.storage.disk import DiskStore
from vendorrisk.storage.vault import EncryptedFileStore

pytestmark = pytest.mark.anyio
_KILLS = 12
_ROOT = Path(__file__).parents[2]
_WRITER = """
import asyncio, sys
from pathlib import Path
from tests.storage.make import OLD_KEY, TENANT, chunks
from vendorrisk.keys import Keyring
from vendorrisk.storage.disk import DiskStore
from vendorrisk.storage.vault import EncryptedFileStore

async def main(root, seed):
    vault = EncryptedFileStore(DiskStore(Path(root)), Keyring.from_setting(OLD_KEY))
    for number in range(10_000):
        content = b"%PDF-1.7 " + f"{seed} {number}".encode() + bytes(300_000)
        parts = chunks(*(content[at : at + 65_536] for at in range(0, len(content), 65_536)))
        stored = await vault.put(TENANT, parts, file_name="a.pdf", max_bytes=1 << 20)
        print(stored.sha256, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def _killed_after(root: Path, seed: int, seconds: float) -> list[str]:
    """Run the writer for a while; returns the digests it acknowledged."""
    command = [sys.executable, "-c", _WRITER, str(root), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        rest = writer.stdout.read()
    whole = (first + rest).decode().split("\n")[:-1]
    return [line for line in whole if len(line) == 64]


async def test_what_was_acknowledged_is_whole_and_nothing_half_written_is_seen(tmp_path: Path) -> None:
    points = random.Random(7)
    kept = [digest for seed in range(_KILLS) for digest in _killed_after(tmp_path, seed, points.uniform(0.0, 0.15))]
    store = DiskStore(tmp_path)
    file_store = EncryptedFileStore(store, Keyring.from_setting(OLD_KEY))
    assert len(kept) >= _KILLS
    seen = [listed async for listed in store.list(f"keys/{TENANT}/")]
    assert len(seen) >= len(set(kept))
    for digest in kept:
        assert sha256(await file_store.read(TENANT, digest)).hexdigest() == digest
    later = datetime.now(UTC) + timedelta(minutes=1)
    await file_store.tidy(later)
    await file_store.sweep(TENANT, later)
    bodies = [listed async for listed in store.list(f"bodies/{TENANT}/")]
    assert len(bodies) == len(seen)
    assert list((tmp_path / ".incoming").iterdir()) == []
