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
    place         a registrable domain: looks are polite, leased, budgeted and opted out by it
    visit         all looks that are due at a place, by whoever holds its lease; written in one transaction
    state         a rule's standing as stored, with what change detection remembers of it
    settling      bringing a vendor's findings, dates, score and alerts in line with the states of its assets

What can never happen:

- A transport failure is never a verdict: it is `unknown`, and says why.
- `unknown` neither opens nor closes a finding, and hiding from the scanner never raises a score.
- A judgement never depends on anything but the observation, the instant and the named dataset versions.
- A score is integers only; its deductions add up to what is missing from 100.
- A visit writes nothing once its lease is lost; no two workers look at one place together.
- Something worse is believed when it was seen twice; a rule that turns on everybody is paused, and nobody is told.
- A tenant reads only of assets it watches, and from when it attached them; only jobs write what is public.
- A rule or weight is never changed without a new `MODEL_VERSION`.

Beside the customary files there are, all pure:

    judge_tls, judge_web, judge_email, judge_dns, judge_domain, judge_exposure, judge_events,
    judge_transparency     one evaluator per factor of the methodology: observation → judgements
    judging                one way in: an observation of any kind → judgements
    verdicts               short ways to write a judgement
    csp                    what a policy lets in
    certificates           what a presented chain proves (names, trust, dates, keys)
    score                  standings → score
    change                 judgements in time → what is confirmed, flapping, a gap, or a storm

Around them, with database and clock:

    schedule, collecting, looking   when what is looked at; which collector looks; a visit, from lease to commit
    comparing                       a look held against what was known: states, happenings, turns
    feed_kinds, feeding, joining    lists that are fetched once for all vendors, and how vendors are found in them
    following                       what is watched by itself: recorded domains, and the `www` of domains
    standings, settling, telling    states → standings (pure) → findings and score → dates, events, exploited products
    service, supply                 what routes do: assets, signals, scores; products, sub-processors, ratings
    methodology                     how the score is made, and the lists it is made with, as they are shown
    checking                        one look from the shell, with nothing stored
    …_queries                       the statements of feeds, settling and records; those of looks are in `queries`
    watch_model, supply_model       what is stored and shown of watching; of products, sub-processors and ratings
    names                           names in the form they are compared in

`model` holds the types, `rules` the closed table of all rules with its `MODEL_VERSION`.
"""
