"""The edge to parsers: code that reads untrusted bytes runs in a child process that may be lost.

    running       the one way in: waits for a slot, hands the bytes over, reports the reason of a failure
    slots         the children that run at once, the memory they share, and the turns of those that wait
    spool         a long answer, kept on disk as it arrives
    fork_server   the service's side of the fork server: starts it, replaces it, sends it jobs
    zygote        the fork server's program: imports parsers, reads no untrusted byte, forks a child for each job
    child         a child's life: confine itself, read its bytes, call one function, write its answer
    confinement   the rights that a child gives up
    system_calls  the list of system calls that a confined child may make

A fork server costs the interpreter's start and the imports once, and a job costs a fork. It is started by its path with
an empty environment, so it knows no secret of the service. Before the first untrusted byte, a child has closed every
other descriptor, left root for a user of its own, bounded its processor time and memory, and given up files by Landlock
and all system calls but a short list by seccomp. A machine may lack Landlock, and only root can change its user:
`vendorrisk doctor` names the protections that a machine gives. The child dies with the fork server, and the fork server
dies with the service.

A parser is a module-level function from bytes to something msgspec can encode, annotated with its result type. Expected
failures (a wrong password, a cut file) are part of its result. It must import its dependencies when its module is
imported: afterwards no file opens.

Can never happen: a parser's crash, endless loop or appetite for memory reaches the API, the worker or another input.
"""
