"""External security signals: observable facts of a vendor's internet presence, evaluated, stored, scored and notified.

The words:

    asset         a host, domain or page of a vendor; public, and scanned once for all tenants
    scan          one pass by a collector (`vendorrisk.probes`); it yields a raw observation, or a reason
    observation   the canonical record of a scan: no clock, no nonce, no cookie value, sorted keys
    rule          one line of the methodology: observed condition, weight, severity, cadence, SOC 2 criteria
    evaluation    a rule's verdict on an observation, with its reason
    verdict       pass, warn, fail, na (established not to apply) or unknown (could not be seen)
    score input   a rule's last evaluations on one asset: the present one and the last that was not unknown
    event         something that happened (a breach listed, a name server changed); notified, seldom scored
    score         0 to 100 over all score inputs of a vendor, with every deduction that led to it
    domain        a registrable domain: scans are polite, leased, budgeted and opted out by it
    domain scan   all scans due at a registrable domain, made by the holder of its lease, written in one transaction
    state         a rule's latest stored result, with the memory of change detection
    reconciliation bringing a vendor's findings, dates, score and alerts in line with the states of its assets

Invariants:

- A transport failure is never a verdict: it is `unknown`, with the reason.
- `unknown` neither opens nor closes a finding, and hiding from the scanner never raises a score.
- An evaluation never depends on anything but the observation, the instant and the named dataset versions.
- A score is integers only; its deductions add up to its distance from 100.
- A domain scan writes nothing once its lease is lost; a registrable domain is scanned by one worker at a time.
- A worse state is believed when it was seen twice. A rule that changes on many assets at once is paused, unnotified.
- A tenant reads only signals of assets it watches, since it attached them. Only jobs write public records.
- A rule or weight is never changed without a new `MODEL_VERSION`.

Beside the customary files:

    schedule, collectors, domain_scan   when each asset is scanned; its collector; a scan from lease to commit
    rule_states                         a scan compared with the state before: states, events, turns
    enrichment                          feed entries that concern an asset
    auto_assets                         assets attached without a person: recorded domains, and the `www` of domains
    shared_assets, finding_rules        assets that share one problem; the states that open a finding. Pure
    score_inputs, score_history         states become the inputs of a score; the last scores. Pure
    reconcile, vendor_alerts            states become findings and score; dates, events, exploited products
    products, subprocessors, ratings    a tenant's notes on a vendor's products, pages and ratings
    methodology                         how the score is computed, and its feeds, as the API returns them
    one_off_scan                        one scan from the shell, with nothing stored
    …_queries                           the statements of reconciling and the API; `queries` has those of scans
    …_model                             stored and returned types of assets, scores and the supply chain

Rules, verdicts and scores themselves are pure, in `vendorrisk.evaluation`. Public lists are in `vendorrisk.feeds`.
"""
