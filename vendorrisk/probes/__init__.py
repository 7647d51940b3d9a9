"""Outside scans: one file per kind, each leaving a canonical raw observation behind.

    scan          one pass over one asset for one group of signals; asks only through `vendorrisk.egress`
    observation   what the scan brought back: a Struct whose canonical JSON is the same whenever the world is
    unknown       in place of a part that could not be seen, with the reason; never a verdict
    question      a DNS name and record type
    answers       the questions asked and what came of them
    plan          a pure function that says which questions answers still lack

One folder for each thing that is scanned: `dns`, `mail`, `web`, `registration`, `tls`, and `feeds` for lists that
others keep. Their essays name the files. `scanner` is the one way in to all collectors. A collector is a plan or a
short list of requests. Its observation is evaluated in `vendorrisk.evaluation`, without network and clock.

`public_suffix` says which part of a name its owner registered. `observation` holds what all observations share.

What can never happen

- A byte leaves other than through the guard; a body, cookie, credential or form is sent; a port but 43, 53,
  80 or 443 is asked; more than 20 DKIM selectors are tried.
- A scan raises for what the other side does: a part is seen or `Unknown`.
- An instant, a nonce, a cookie's value, a person's name or address stands in an observation.
"""
