"""Servers for one command: those configured, those of a supervisor that runs, or our own for the while."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vendorrisk.embedded.home import HomeError, complete, open_home
from vendorrisk.embedded.postgres import Postgres
from vendorrisk.settings import Settings

_LONGEST = 70  # with Postgres's suffix, a unix socket's path has 107 bytes at most


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """Give the settings completed, with every server they name running until the block is left."""
    if settings.database_url and settings.redis_url and settings.secret_keys:
        yield settings
        return
    home = open_home(settings)
    embedded = complete(settings, home)
    with ExitStack() as stack:
        try:
            stack.enter_context(home.lock())
        except HomeError:
            # A supervisor holds the folder, so its servers run.
            yield embedded.settings
            return
        for server in embedded.servers:
            server.start()
            stack.callback(server.stop)
        yield embedded.settings


@contextmanager
def throw_away_postgres() -> Iterator[str]:
    """Give the address of an empty database on a cluster that is gone, with all in it, when the block is left."""
    folder = Path(tempfile.mkdtemp(prefix="vendorrisk-"))
    if len(os.fsencode(folder)) > _LONGEST:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="vendorrisk-", dir="/tmp"))
    # Entered by the user that the server runs as, where that is not us.
    folder.chmod(0o711)
    careless = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    postgres = Postgres(folder / "pg", folder / "run", settings=careless)
    try:
        postgres.start()
        yield postgres.dsn()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
