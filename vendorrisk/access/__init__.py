"""Permissions: the proof that a caller may act.

    permissions   the closed list of permissions, the roles, and the permissions of each role
    model         the actor and its proof (`Permitted`)
    work          one operation: a connection, a proof, an instant
    records the steps of every operation on a record: find it, hold its version, apply a merge patch
    upsert        create a record by the caller's own reference, or change the one that has it

An *actor* is the identity behind a request or job: an API key, a member with a session, a vendor's respondent with a
or the system. `permit` is the only place where a `Permitted` is made. A tenant's data is reached only with one.
"""
