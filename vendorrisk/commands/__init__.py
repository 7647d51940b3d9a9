"""The command line, one file per command or group. `vendorrisk.__main__` puts them together.

A command reads the settings, runs one thing, prints a result that a person (or with `--json` a program) can act on, and
ends:

    0   it was done, without problems
    1   it could not be done, or the checked part has a problem; one line on standard error says what to do
    2   it was called wrongly

Each module imports `click`, the settings and plain models at its top. A command imports its other needs (a driver, a
framework, `rich`) when it runs, so that `vendorrisk up` stays small and `--help` is quick.

    running     settings read, coroutines run, failures printed in one line
    serving     up, api, worker, migrate, prepare, healthy, demo
    tenants     creating tenants
    documents   openapi, schema
    doctor      doctor
    keys        keys make, keys reseal
    audit       audit verify
    backup      backup, restore, installation show, activate, hold
    importing   import
    signals     signals scan, signals lab, signals opt-out
"""
