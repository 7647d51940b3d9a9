"""The child's whole program: `python -I child.py module:function cpu_seconds memory_bytes`, bytes on standard input.

It answers with one byte, then, after `=`, the function's result in MessagePack. `m` is out of memory, `!` an
exception. It is started by path, so that nothing but this file, the confinement and the parser is imported.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[2]))

from vendorrisk.sandbox.confinement import deny, limit


def main() -> None:
    target, cpu_seconds, memory_bytes = sys.argv[1:4]
    limit(int(cpu_seconds), int(memory_bytes))
    # The parser may print. Only the answer may reach the parent.
    answers = os.dup(1)
    os.dup2(2, 1)
    try:
        answer = b"=" + _called(target)
    except MemoryError:
        answer = b"m"
    except BaseException:  # noqa: BLE001 - whatever a parser raises means the same
        answer = b"!"
    view = memoryview(answer)
    while view:
        view = view[os.write(answers, view) :]
    os._exit(0)


def _called(target: str) -> bytes:
    from msgspec import msgpack

    module, _, name = target.partition(":")
    function = getattr(import_module(module), name)
    payload = sys.stdin.buffer.read()
    deny()
    return msgpack.encode(function(payload))


if __name__ == "__main__":
    main()
