"""The rights that the child gives up.

This runs in the child only, and imports little, because every start pays for it.
"""

import ctypes
import os
import platform
import resource
import struct
from typing import Final

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_SIGKILL: Final = 9
_FILTER_MODE: Final = 2
_OPEN_FILES: Final = 64

# Denied are: files by path, sockets, new processes and threads, other processes, io_uring (which could do any of
# these unseen). AUDIT_ARCH by linux/audit.h, numbers by the kernel's tables of system calls.
_COMMON: Final = (425, 426, 427, 434, 435, 437, 438)  # io_uring_*, pidfd_open, clone3, openat2, pidfd_getfd
_X86_FILES: Final = (2, 76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 94, 257, 258, 260, 263, 264, 265, 266, 268, 304, 316)
_X86_SOCKETS: Final = (41, 42, 43, 44, 46, 49, 50, 53, 288, 307)
_X86_PROCESSES: Final = (56, 57, 58, 59, 62, 101, 272, 308, 310, 311, 322)
_ARM_FILES: Final = (34, 35, 36, 37, 38, 45, 53, 54, 56, 265, 276)
_ARM_SOCKETS: Final = (198, 199, 200, 201, 202, 203, 206, 211, 242, 269)
_ARM_PROCESSES: Final = (97, 117, 129, 220, 221, 268, 270, 271, 281)
_DENIED: Final = {
    "x86_64": (0xC000003E, (*_X86_FILES, *_X86_SOCKETS, *_X86_PROCESSES, *_COMMON)),
    "aarch64": (0xC00000B7, (*_ARM_FILES, *_ARM_SOCKETS, *_ARM_PROCESSES, *_COMMON)),
}
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _DENY = 0x7FFF0000, 0x80000000, 0x00050000 | 1  # the last: fail with EPERM
_X32_CALLS: Final = 0x40000000


def limit(cpu_seconds: int, memory_bytes: int) -> None:
    """Die with the parent. Bound processor time, address space and files."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() == 1:
        os._exit(1)  # the parent died before the line above
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
    ):
        resource.setrlimit(which, (soft, hard))


def deny() -> bool:
    """Give up the denied calls for good. Return whether this machine supports it."""
    known = _DENIED.get(platform.machine())
    if known is None:
        return False
    program = _program(*known)
    code = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(header), 0, 0) == 0)


def _program(architecture: int, denied: tuple[int, ...]) -> bytes:
    """Build the filter (linux/filter.h): code, jump if true, jump if false, operand."""
    lines = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        (_JUMP_AT_LEAST, len(denied) + 1, 0, _X32_CALLS),
    ]
    lines += [(_JUMP_EQUAL, len(denied) - place, 0, number) for place, number in enumerate(denied)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
