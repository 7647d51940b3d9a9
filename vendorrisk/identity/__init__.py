"""Tenants, their members, and the API keys that act for them.

A *tenant* is a company that uses the service. It has a time zone, and "today" is the tenant's. A *member* is a person
inside one tenant, with roles. Members own vendors and findings and are notified of alerts. An *API key* acts with
roles, narrowed by scopes. It may belong to a member. A key is shown once, when it is made. Only its SHA-256 is kept,
which is enough because its secret has 256 random bits. *Rotation* makes a successor and lets the old key live for an
overlap.

A person who belongs to several tenants is a member of each. Credentials of people, with sessions and a second factor,
attach to members and turn into the same `Actor`. A key never holds a permission that its maker lacks. A tenant never
loses its last working key of an admin by its own hand, neither by ending it nor by switching its member off.

Beside the agreed files: `authentication` turns an Authorization header into an actor, and remembers for a moment.
"""
