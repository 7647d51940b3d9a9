"""Memory does not follow the size of what is sent."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.embedded.make import Stack, data_folder, until

pytestmark = pytest.mark.embedded_only
_WORKER_MEGABYTES = 300
_CHILDREN_MEGABYTES = 512


@pytest.fixture
def stack() -> Iterator[Stack]:
    with data_folder() as home:
        started = Stack(home)
        yield started
        started.shut_down()


def most_of(process: psutil.Process) -> int:
    """Return the most memory that a process ever had, in megabytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


def test_large_csv_files_are_imported_one_after_the_other_within_the_workers_memory(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stack.key is not None
    columns = ",".join(f"filler {number}" for number in range(198))
    row = ",".join(f"filler {number:03}" for number in range(198))
    lines = (60 << 20) // (len(row) + 20)
    file = f"Name,Country,{columns}\n" + "".join(f"Vendor {number},DE,{row}\n" for number in range(lines))
    content = file.encode()
    children = 0
    with httpx.Client(base_url=stack.address, headers={"authorization": f"Bearer {stack.key}"}, timeout=60) as client:
        places = []
        for _ in range(3):
            sent = client.post("/v1/vendor-imports", content=content, headers={"content-type": "text/csv"})
            assert sent.status_code == 202, sent.text
            places.append(sent.headers["location"])

        def done() -> bool:
            nonlocal children
            with contextlib.suppress(psutil.Error, OSError):
                worker = stack.child("worker")
                below = worker.children(recursive=True) if worker else []
                children = max(children, sum(each.memory_info().rss for each in below) >> 20)
            return all(client.get(place).json()["state"] == "checked" for place in places)

        until(done, "all three are checked", 300)
    worker = until(lambda: stack.child("worker"), "the worker runs")
    with capsys.disabled():
        print(f"\nthree CSV files of 60 MB: worker {most_of(worker)} MB, its children {children} MB")  # noqa: T201 - a figure to be read
    assert most_of(worker) < _WORKER_MEGABYTES
    assert children < _CHILDREN_MEGABYTES
