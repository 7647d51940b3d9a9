"""Access: actors, their permissions, and the proof that a tenant's data needs.

    permissions   the closed list of permissions, the roles, and the permissions of each role
    model         the actor and its proof (`Permitted`)
    work          one operation: a connection, a proof, an instant
    records       common steps of operations on records: find it, check its version, apply a merge patch

An *actor* is the identity behind a request or job: an API key, a member with a session, a vendor's respondent with a
link, or the system. Only `permit` makes a `Permitted`. A tenant's data is reached only with one.
"""
