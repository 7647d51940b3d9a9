"""Evaluation: what an observation of a vendor's host, domain or page means. Pure: no database, no clock, no network.

    rule          one line of the methodology: what is observed, weight, severity, cadence, SOC 2 criteria
    evaluation    a rule's verdict on an observation, with its reason
    verdict       pass, warn, fail, na (established not to apply) or unknown (could not be observed)
    score         0 to 100 over all evaluations of a vendor, with every deduction that led to it

`model` holds the types, `rules` the closed table of all rules with its `MODEL_VERSION` and the kinds of assets they
apply to. `evaluate` is the one way in: an observation of any kind becomes evaluations. Each factor of the methodology
has one evaluator:

    tls, web, email, dns, domain, exposure, events, transparency

They stand on:

    results            short ways to write an evaluation
    certificates       what a presented chain proves (names, trust, dates, keys)
    csp                what a content security policy lets in
    product_names      names in the form in which they are compared

From evaluations follow:

    change_detection   evaluations in time: what is confirmed, flapping, a gap or a storm
    score              evaluations become a score

What can never happen:

- A transport failure is never a verdict. It is `unknown`, with the reason.
- An evaluation depends on anything but the observation, the instant and the named dataset versions.
- A score holds a fraction. It is made of integers, and its deductions add up to what is missing from 100.
- A rule or weight changes without a new `MODEL_VERSION`.
"""
