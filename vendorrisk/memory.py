"""Objects that the garbage collector need not scan again."""

import gc

_YOUNG = 10_000  # objects between two collections of the youngest generation; a request makes some thousand
_OLDER = 20


def settle_in() -> None:
    """Freeze the objects of a process once it is ready. They live as long as the process.

    Only objects of requests and scans are then collected, and less often. Before that, a worker spent a twelfth of its
    time on it.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
