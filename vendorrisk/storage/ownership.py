"""The owner of a store on disk, if root works on it from the shell."""

import concurrent.futures.thread  # noqa: F401 - before: afterwards only root may be able to read Python's own files
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner_of(root: Path | None) -> Iterator[None]:
    """If we are root, work with the rights of the folder's owner, so that no file belongs to root.

    The service could not read a file of root's. The change holds for the whole process, so no other work may run
    meanwhile. It has no effect for a store that is not on disk.
    """
    if root is None or os.geteuid() != 0 or not root.exists() or (owner := root.stat()).st_uid == 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
