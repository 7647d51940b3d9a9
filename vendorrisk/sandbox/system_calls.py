"""The system calls that a confined child may make. Every other call fails with EPERM.

A refused call fails instead of killing the child, because libraries try calls and do without: the allocator asks for
huge pages, `abort` sends a signal. An errno gives an attacker nothing. A call by another architecture's numbers kills,
because only an attack makes one.

The list was found by tracing the parsers with `strace`: memory of their own, randomness for hash tables, reading
the input, writing the answer, and the end.
"""

from typing import Final, NamedTuple

PROT_EXEC: Final = 4
MAP_SHARED: Final = 1


class Condition(NamedTuple):
    """The call is allowed only if the argument, by its position from 0, has none of these bits."""

    argument: int
    forbidden_bits: int


class Allowed(NamedTuple):
    """A call: its number on x86-64 and on ARM64 (the kernel's own tables), and the conditions on its arguments."""

    name: str
    x86_64: int
    aarch64: int
    conditions: tuple[Condition, ...] = ()


# Memory that is executable would let an attack bring code. Memory that is shared escapes the limit on data.
_NO_CODE: Final = Condition(2, PROT_EXEC)
_NOT_SHARED: Final = Condition(3, MAP_SHARED)

ALLOWED: Final = (
    Allowed("read", 0, 63),
    Allowed("write", 1, 64),
    Allowed("mmap", 9, 222, (_NO_CODE, _NOT_SHARED)),
    Allowed("mprotect", 10, 226, (_NO_CODE,)),
    Allowed("munmap", 11, 215),
    Allowed("brk", 12, 214),
    Allowed("rt_sigreturn", 15, 139),
    Allowed("mremap", 25, 216),
    Allowed("madvise", 28, 233),
    Allowed("exit", 60, 93),
    Allowed("futex", 202, 98),
    # Some machines have a clock that cannot be read without a call.
    Allowed("clock_gettime", 228, 113),
    Allowed("exit_group", 231, 94),
    Allowed("getrandom", 318, 278),
)
"""The closed list. `tests/sandbox` tries every other number in a child."""
