"""External security signals: what a vendor shows the outside, judged, kept, scored and told.

The words:

    asset         a host, domain or page of a vendor; public, and looked at once for all tenants
    look          one visit by a collector (`vendorrisk.probes`); it yields a raw observation, or says why not
    observation   the canonical record of a look: no clock, no nonce, no cookie value, sorted keys
    rule          one line of the methodology: what is observed, weight, severity, cadence, SOC 2 criteria
    judgement     a rule's verdict on an observation, with its reason
    verdict       pass, warn, fail, na (established not to apply) or unknown (could not be seen)
    standing      a rule's last judgements on one asset: the present one and the last that was not unknown
    event         something that happened (a breach listed, a name server changed); told, seldom scored
    score         0 to 100 over all standings of a vendor, with every deduction that led to it

What can never happen:

- A transport failure is never a verdict: it is `unknown`, and says why.
- `unknown` neither opens nor closes a finding, and hiding from the scanner never raises a score.
- A judgement never depends on anything but the observation, the instant and the named dataset versions.
- A score is integers only; its deductions add up to what is missing from 100.
- A rule or weight is never changed without a new `MODEL_VERSION`.

Beside the customary files there are, all pure:

    judge_tls, judge_web, judge_email, judge_dns, judge_domain, judge_exposure, judge_events,
    judge_transparency     one evaluator per factor of the methodology: observation → judgements
    judging                one way in: an observation of any kind → judgements
    verdicts               short ways to write a judgement
    csp, takeover          what a policy lets in; where a lost name can be claimed
    certificates           what a presented chain proves (names, trust, dates, keys)
    score                  standings → score
    change                 judgements in time → what is confirmed, flapping, a gap, or a storm

`model` holds the types, `rules` the closed table of all rules with its `MODEL_VERSION`.
"""
