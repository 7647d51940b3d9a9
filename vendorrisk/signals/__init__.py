"""External security signals: what a vendor shows the outside, evaluated, kept, scored and notified.

The words:

    asset         a host, domain or page of a vendor; public, and scanned once for all tenants
    scan          one pass by a collector (`vendorrisk.probes`); it yields a raw observation, or says why not
    observation   the canonical record of a scan: no clock, no nonce, no cookie value, sorted keys
    rule          one line of the methodology: what is observed, weight, severity, cadence, SOC 2 criteria
    evaluation    a rule's verdict on an observation, with its reason
    verdict       pass, warn, fail, na (established not to apply) or unknown (could not be seen)
    score input   a rule's last evaluations on one asset: the present one and the last that was not unknown
    event         something that happened (a breach listed, a name server changed); notified, seldom scored
    score         0 to 100 over all score inputs of a vendor, with every deduction that led to it
    domain        a registrable domain: scans are polite, leased, budgeted and opted out by it
    domain scan   all scans due at a registrable domain, by whoever holds its lease; written in one transaction
    state         a rule's latest result as stored, with what change detection remembers of it
    reconciliation bringing a vendor's findings, dates, score and alerts in line with the states of its assets

What can never happen:

- A transport failure is never a verdict: it is `unknown`, and says why.
- `unknown` neither opens nor closes a finding, and hiding from the scanner never raises a score.
- An evaluation never depends on anything but the observation, the instant and the named dataset versions.
- A score is integers only; its deductions add up to what is missing from 100.
- A domain scan writes nothing once its lease is lost; no two workers scan one registrable domain together.
- Something worse is believed when it was seen twice; a rule that turns on everybody is paused, and nobody is notified.
- A tenant reads only of assets it watches, and from when it attached them; only jobs write what is public.
- A rule or weight is never changed without a new `MODEL_VERSION`.

Beside the customary files:

    schedule, collectors, domain_scan   when which asset is scanned; the collector for it; a scan from lease to commit
    rule_states                         a scan compared with the state before: states, events, turns
    feed_sources, feed_fetch            the feeds, and how they are fetched once for all vendors
    enrichment                          what feeds say of an asset
    auto_assets                         assets attached without a person: recorded domains, and the `www` of domains
    shared_assets, finding_rules        assets that show one thing; which states open a finding. Pure
    score_inputs                        states become the inputs of a score. Pure
    reconcile, vendor_alerts            states become findings and score; dates, events, exploited products
    products, subprocessors, ratings    what a tenant notes of a vendor's products, pages and ratings
    methodology                         how the score is made, and the feeds it is made with, as they are shown
    one_off_scan                        one scan from the shell, with nothing stored
    …_queries                           the statements of feeds, reconciling and the API; `queries` has those of scans
    …_model                             what is stored and shown of assets, scores and the supply chain

Rules, verdicts and scores themselves are pure and stand in `vendorrisk.evaluation`.
"""
