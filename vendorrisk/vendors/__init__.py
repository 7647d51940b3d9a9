"""Vendors: their record, tier, services, reviews and lifecycle, from intake to offboarding.

A *vendor* is a company that serves a tenant, may serve it, or did. Its *lifecycle*:

    prospect → onboarding → active ⇄ suspended
                               ↘      ↙
                              offboarding → terminated → prospect

A vendor becomes *active* once its *intake* is decided (a request was approved by someone else than the person who
asked, or somebody who may approve said why none was needed), its inherent risk was answered, and a business owner
is named. One that is in use already when the tenant begins is *taken over* as active: at registration with owner,
tier and reason, or by an import, which is the reason. It is *terminated* once its *offboarding checklist* is
resolved: data returned, access removed, deletion proven, each done or waived with a reason, a person and an instant. A
prospect that was never used ends without one. A vendor that comes back starts as a prospect, with a new intake.

*Inherent risk* is the risk before any control is counted: eight factors answered 0 to 4. Unknown counts as 3 and is
listed. From it follow a score, a *tier* and the reasons for both, by a model with a version. Until the questions are
answered, a tier may be *declared*. The tier sets the *cadence* of reviews, by the tenant's policy. A *service* is a
product or a service that the tenant uses of a vendor. Evidence covers services. A *fourth party* is a company a vendor
stands on.

Vendors come in by an *import* (`vendorrisk/imports`) as well. A row finds its vendor by id, else by the tenant's own
*reference*, else by name.

Invariants: no two vendors of a tenant share a name (in any case or composition), a domain, a reference or an LEI. An
unknown answer never counts better than the answer 3. A computed tier is not changed by hand, nor a lifecycle by an
import. Vendors are not deleted: they are terminated.

Beside the agreed files: `tiering` (inherent risk), `identifiers` (names, domains, numbers, codes, money), `normalise`
(a body becomes stored values), `import_columns` (the columns of an import), `export` (a vendor becomes a row). The
operations stand by noun: `service` (the record), `lifecycle` (transitions), `inherent_risk`, `reviews`, `review_policy`
(how often reviews are held), `offboarding`, `intake`, `services`, `fourth_parties`, `imports` (vendors as a kind of
import). `lifecycle_…`, `inherent_risk_…`, `supply_chain_…` (services and fourth parties) and `import_…` are the
models, queries and routes of those. `bulk_routes` do for many records what the other routes do for one. `vendor_list`
has the filters and sorts of vendors. `holders` finds the vendor that a conflict names.
"""
