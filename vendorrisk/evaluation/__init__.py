"""Evaluation: an observation of a vendor's host, domain or page becomes verdicts. Pure: no database, clock or network.

    rule          one line of the methodology: observed condition, weight, severity, cadence, SOC 2 criteria
    evaluation    a rule's verdict on an observation, with its reason
    verdict       pass, warn, fail, na (established not to apply) or unknown (could not be observed)
    score         0 to 100 over all evaluations of a vendor, with every deduction that led to it

`model` holds the types, `rules` the closed table of all rules with its `MODEL_VERSION` and the kinds of assets they
apply to. `evaluate` is the one way in: an observation of any kind becomes evaluations. Each factor of the methodology
has one evaluator:

    tls, web, email, dns, domain, exposure, events, transparency

They use:

    results            short ways to write an evaluation
    certificates       facts that a presented chain proves (names, trust, dates, keys)
    csp                the sources that a content security policy allows
    product_names      product names in comparable form

From evaluations follow:

    change_detection   evaluations over time: confirmed, flapping, a gap or a storm
    score              evaluations become a score

Invariants:

- A transport failure is never a verdict. It is `unknown`, with the reason.
- An evaluation depends only on the observation, the instant and the named dataset versions.
- A score is made of integers only, and its deductions add up to its distance from 100.
- A rule or weight never changes without a new `MODEL_VERSION`.
"""
