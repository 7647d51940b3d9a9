"""`vendorrisk doctor`: one look at all that the service stands on, and what to do about what is not right.

    patient     the settings, and the database they lead to
    check looks at one thing, within a time, and never changes it for good. It may say several findings
    finding     ok, warning (it works, or works for now) or failure (it does not), what was found, and what to do

Nothing is sent to anyone, no job is run, no schema is changed. The one thing written is a small object in the file
store, which is removed again. Whatever secret the settings hold is blanked out of every finding, wherever it came from.

    model       finding and patient
    queries     what is asked of the database
    database    reachable, version, roles, row-level security, schema
    nudges      Redis and the workers
    messages    receivers, e-mail and Slack
    files       the store and the secret keys
    machine     settings, clock, time zones, disc space, backups
    checkup     the closed list of checks, run with their bounds
    table       the findings for a person
"""
