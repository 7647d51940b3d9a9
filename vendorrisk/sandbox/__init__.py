"""The edge to parsers: code that reads untrusted bytes runs in a child process that may be lost.

    running      starts the child, feeds it, waits within a bound, and reports the reason of a failure
    child        the child's program: confine itself, call one function, write its answer
    confinement  the limits, and the system calls that are denied

The child gets the bytes on its standard input and gives one answer back. It has no environment, so none of the
service's secrets; bounded processor time, address space and answer; and it dies with its parent. Before it reads the
bytes it gives up, by a seccomp filter, opening files, sockets, starting processes and inspecting others. The filter
needs Linux on x86-64 or ARM64. Elsewhere, only the other limits apply.

A parser is a module-level function from bytes to something msgspec can encode, annotated with its result type. Expected
failures (a wrong password, a cut file) are part of its result. It must import its dependencies when its module is
imported: afterwards no file opens.

Can never happen: a parser's crash, endless loop or appetite for memory reaches the API or the worker.
"""
