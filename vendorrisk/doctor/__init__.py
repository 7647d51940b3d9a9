"""`vendorrisk doctor`: checks everything that the service depends on, and says how to fix each problem.

    patient     the settings, and the database they lead to
    check looks at one thing, within a time, and never changes it for good. It may say several findings
    finding     ok, warning (it works, or works for now) or failure (it does not), the observation, and the fix

The doctor sends no message, runs no job and changes no schema. It writes only a small object in the file store, and
removes it again. Every secret of the settings is blanked out of every finding.

    model       finding and patient
    queries     the statements of the checks
    database    reachable, version, roles, row-level security, schema
    nudges      Redis, the workers, the last runs of their jobs, and whether messages are held
    messages    receivers, e-mail and Slack
    files       the store and the secret keys
    machine     settings, clock, time zones, disc space, backups
    checkup     the closed list of checks, run with their bounds
    table       the findings for a person
"""
