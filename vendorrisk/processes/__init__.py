"""The processes of an installation, for the operator: heartbeats, runs of jobs, and metrics.

    process       one API or worker. Its row in the database lives as long as it does
    heartbeat     the row is renewed every few seconds. Without one for a while, the process is *silent*
    missing       a silent process that no later one replaced
    tick          the last run of a job in a process
    installation  one database with its processes. Its deliveries may be *held*, as after a restore

Heartbeats lie in the database, so a copy of it on the same Redis is not taken for alive. A process that ends cleanly
removes its row. One that was killed is missing until another of its kind starts, or for a day.

    model         the rows, and the rules of silent and missing
    heartbeat     a process tells of itself
    ticks         jobs tell of their runs
    metrics       the figures for Prometheus, on a port of their own
"""
