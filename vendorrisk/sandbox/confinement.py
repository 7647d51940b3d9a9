"""The rights that a child gives up, in order: its user, its memory and time, files, and system calls.

This runs in the child only, before it reads a byte of its input.
"""

import ctypes
import os
import platform
import resource
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from vendorrisk.sandbox.system_calls import ALLOWED, Allowed

OWN_USER: Final = 65533
"""The user of children that root starts. No system gives it away, and it owns no file and no other process."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SIGKILL: Final = 9
_FILTER_MODE: Final = 2
_STACK_BYTES: Final = 8 << 20
_PAGE: Final = resource.getpagesize()
_UNKNOWN_SIZE: Final = (1 << 30, 256 << 20)

# AUDIT_ARCH of linux/audit.h.
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _DENY = 0x7FFF0000, 0x80000000, 0x00050000 | 1  # the last: fail with EPERM
_X32_CALLS: Final = 0x40000000
_ARCHITECTURE_AT, _NUMBER_AT, _ARGUMENTS_AT = 4, 0, 16  # in struct seccomp_data

# linux/landlock.h. The numbers of its calls are the same on every architecture.
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_LANDLOCK_VERSION: Final = 1
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_RIGHTS, _NET_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6

_libc = ctypes.CDLL(None, use_errno=True)


class Protections(msgspec.Struct, frozen=True):
    """The protections that this machine gave a child. `landlock` is the kernel's version of it, 0 for none."""

    system_calls: bool = False
    own_user: bool = False
    landlock: int = 0


_given: list[Protections] = []


def given(_: bytes) -> Protections:
    """Return the protections of this child. The form in which a child can be asked for them."""
    return _given[-1]


def confine(parent: int, cpu_seconds: int, memory_bytes: int) -> None:
    """Give up everything that a parser has no need of. A protection that the machine lacks is left out."""
    size = _size()
    own_user = _leave_root()
    _die_with(parent)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    landlock = _give_up_files()
    _limit(cpu_seconds, memory_bytes, *size)
    # Noted before the filter, which leaves nothing to note with: it is known to take where it is supported.
    _given.append(Protections(platform.machine() in _ARCHITECTURES, own_user, landlock))
    if not _give_up_calls():
        _given.append(Protections(system_calls=False, own_user=own_user, landlock=landlock))


def _leave_root() -> bool:
    """Become a user without files or other processes. Only root can, and not in every container."""
    with suppress(OSError):
        os.setgroups([])
        os.setresgid(OWN_USER, OWN_USER, OWN_USER)
        os.setresuid(OWN_USER, OWN_USER, OWN_USER)
    return os.getresuid() == (OWN_USER, OWN_USER, OWN_USER)


def _die_with(parent: int) -> None:
    """Die with the fork server. A change of user clears this, so it comes after."""
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it died before the line above


def _limit(cpu_seconds: int, memory_bytes: int, whole: int, data: int) -> None:
    """Bound processor time and memory. The memory comes on top of the fork server's own pages."""
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_DATA, data + memory_bytes, data + memory_bytes),
        (resource.RLIMIT_AS, whole + 2 * memory_bytes, whole + 2 * memory_bytes),
        (resource.RLIMIT_STACK, _STACK_BYTES, _STACK_BYTES),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 0, 0),
    ):
        resource.setrlimit(which, (soft, hard))


def _size() -> tuple[int, int]:
    """Return the bytes of address space, and of it the bytes that the kernel counts as data."""
    try:
        fields = Path("/proc/self/statm").read_bytes().split()
    except OSError:
        return _UNKNOWN_SIZE
    return int(fields[0]) * _PAGE, int(fields[5]) * _PAGE


def _give_up_files() -> int:
    """Open no file, port or socket, and signal no other process, by Landlock. Return its version, 0 for none."""
    version = int(_libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION))
    if version < 1:
        return 0
    files = (1 << _FILE_RIGHTS.get(version, max(_FILE_RIGHTS.values()))) - 1
    rights = struct.pack("=Q", files)
    rights += struct.pack("=Q", _NET_RIGHTS) if version >= _NET_SINCE else b""
    rights += struct.pack("=Q", _SCOPES) if version >= _SCOPES_SINCE else b""
    rules = _libc.syscall(_LANDLOCK_CREATE, rights, ctypes.c_size_t(len(rights)), 0)
    if rules < 0:
        return 0
    taken = _libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return version if taken else 0


def _give_up_calls() -> bool:
    """Give up all system calls but the allowed ones, for good. Return whether this machine supports it."""
    program = filter_for(platform.machine())
    if program is None:
        return False
    code = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    return bool(_libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(header), 0, 0) == 0)


def filter_for(machine: str) -> bytes | None:
    """Build the filter (linux/filter.h) of an architecture. None for an unknown architecture."""
    architecture = _ARCHITECTURES.get(machine)
    if architecture is None:
        return None
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, 0, 1, _X32_CALLS),
        (_RETURN, 0, 0, _KILL),
    ]
    for call in ALLOWED:
        lines += _lines_of(call, getattr(call, machine))
    lines.append((_RETURN, 0, 0, _DENY))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _lines_of(call: Allowed, number: int) -> list[tuple[int, int, int, int]]:
    """Return the lines that allow one call: code, jump if true, jump if false, operand."""
    checks: list[tuple[int, int, int, int]] = []
    for condition in call.conditions:
        # The bits in question are all in an argument's lower half, which comes first on both architectures.
        checks += [
            (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * condition.argument),
            (_JUMP_ANY_BIT, 0, 1, condition.forbidden_bits),
            (_RETURN, 0, 0, _DENY),
        ]
    checks.append((_RETURN, 0, 0, _ALLOW))
    return [(_JUMP_EQUAL, 0, len(checks), number), *checks]
