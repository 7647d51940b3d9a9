"""A child can make the calls of the list, and no other."""

import os
import platform
import struct

import pytest

from tests.sandbox import parsers
from vendorrisk.sandbox.confinement import filter_for, given
from vendorrisk.sandbox.running import SMALL, Sandbox
from vendorrisk.sandbox.system_calls import ALLOWED, MAP_SHARED, PROT_EXEC

pytestmark = pytest.mark.anyio
ALLOW, KILL, EPERM = 0x7FFF0000, 0x80000000, 0x00050001
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_PROBES = (335, 336)
"""uretprobe and uprobe of Linux 6.11: the kernel asks no filter, and ends whoever calls them from elsewhere."""
known = pytest.mark.skipif(platform.machine() not in ARCHITECTURES, reason="no filter for this machine")


def evaluated(program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = (0,) * 6) -> int:
    """Return the filter's answer to a call, by the rules of linux/filter.h."""
    call = struct.pack("=IIQ6Q", number, architecture, 0, *arguments)
    lines = list(struct.iter_unpack("HBBI", program))
    at = value = 0
    while True:
        code, yes, no, operand = lines[at]
        at += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", call, operand)
            case 0x15:
                at += yes if value == operand else no
            case 0x35:
                at += yes if value >= operand else no
            case 0x45:
                at += yes if value & operand else no
            case 0x06:
                return int(operand)


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_of_each_architecture_allows_the_list_and_nothing_else(machine: str) -> None:
    program, architecture = filter_for(machine), ARCHITECTURES[machine]
    assert program is not None
    passed = {number for number in range(1001) if evaluated(program, architecture, number) == ALLOW}
    assert passed == {getattr(call, machine) for call in ALLOWED}
    assert {evaluated(program, architecture, n) for n in range(1001) if n not in passed} == {EPERM}
    other = ARCHITECTURES["x86_64" if machine == "aarch64" else "aarch64"]
    assert {evaluated(program, a, n) for a in (0x40000003, other) for n in range(600)} == {KILL}
    assert evaluated(program, architecture, 0x40000000) == KILL, "x32"
    for name, argument, bits in (("mmap", 2, PROT_EXEC), ("mmap", 3, MAP_SHARED), ("mprotect", 2, PROT_EXEC)):
        number = next(getattr(call, machine) for call in ALLOWED if call.name == name)
        refused = tuple(0xFF if at == argument else 0 for at in range(6))
        assert refused[argument] & bits
        assert evaluated(program, architecture, number, refused) == EPERM


@known
async def test_a_child_that_tries_every_call_gets_none_beyond_the_list() -> None:
    numbers = [getattr(call, platform.machine()) for call in ALLOWED]
    if platform.machine() == "x86_64":
        numbers += _PROBES
    assert await Sandbox().run(parsers.calls, struct.pack(f"={len(numbers)}I", *numbers), SMALL) == []


@known
async def test_the_calls_that_the_list_leaves_to_chance_are_few_and_do_what_they_say() -> None:
    assert {call.name for call in ALLOWED} == {
        *("read", "write", "mmap", "mprotect", "munmap", "mremap", "brk", "madvise", "futex", "getrandom"),
        *("clock_gettime", "rt_sigreturn", "exit", "exit_group"),
    }
    assert await Sandbox().run(parsers.memory, b"", SMALL) == []


@known
async def test_a_child_of_root_has_a_user_of_its_own() -> None:
    told = await Sandbox().run(given, b"", SMALL)
    assert told.system_calls
    assert told.own_user == (os.geteuid() == 0)
