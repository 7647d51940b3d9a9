"""Ends a process whose event loop is stuck, so that its supervisor starts another and its leases run out to others.

The watching thread is faulthandler's own, in C. A thread of Python would wait for the interpreter's lock, and code that
is stuck in C (a pattern, a parser) never lets go of it. On its way out it writes `Timeout` and the stack of every
thread to standard error, and exits with status 1. It needs no signal, so it works for process 1 of a container too. A
loop that is stuck does not see SIGTERM: the process ends by this bound, or sooner by its supervisor's own.
"""

import asyncio
import faulthandler
import sys
from typing import Final

_BEAT_SECONDS: Final = 1.0


def watch(seconds: float) -> None:
    """End this process if the running loop does not come round for that long.

    The last beat stays armed after the loop has ended, so that a process that hangs on its way out ends as well.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr)
    asyncio.get_running_loop().call_later(_BEAT_SECONDS, watch, seconds)
