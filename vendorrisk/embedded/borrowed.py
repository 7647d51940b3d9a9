"""Servers for one command: those configured, those of a supervisor that runs, or our own for the while."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from vendorrisk.embedded.home import HomeError, complete, open_home
from vendorrisk.settings import Settings


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """Give the settings completed, with every server they name running until the block is left."""
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
