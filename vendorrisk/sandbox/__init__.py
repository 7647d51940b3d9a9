"""The edge to parsers: code that reads a stranger's bytes runs in a child process that may be lost.

    running      starts the child, feeds it, waits no longer than it may, and says why nothing came back
    child        what the child runs: confine itself, call one function, write its answer
    confinement  the limits, and the system calls that are denied

The child gets the bytes on its standard input and gives one answer back. It has no environment, so none of the
service's secrets; bounded processor time, address space and answer; and it dies with its parent. Before it looks at
the bytes it gives up, by a seccomp filter, opening files, sockets, starting processes and looking into others. The
filter needs Linux on x86-64 or ARM64; elsewhere, the other limits stand alone.

A parser is a module-level function from bytes to something msgspec can encode, annotated with what it returns. What
it expects to go wrong (a wrong password, a cut file) is part of what it returns. It must import what it needs when
its module is imported: afterwards no file opens.

What can never happen: a parser's crash, endless loop or appetite for memory reaches the API or the worker.
"""
