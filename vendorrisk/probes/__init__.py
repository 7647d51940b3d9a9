"""Scans of the outside: one file per kind, each of which yields a canonical raw observation.

    scan          one pass over one asset for one group of signals; asks only through `vendorrisk.egress`
    observation   the result of a scan: a Struct whose canonical JSON is the same whenever the world is
    unknown       in place of a part that could not be seen, with the reason; never a verdict
    question      a DNS name and record type
    answers       the questions asked, with their outcomes
    plan          a pure function that returns the questions that answers still lack

One folder for each subject of scans: `dns`, `mail`, `web`, `registration`, `tls`, and `feeds` for lists of others.
Their docstrings name the files. `scanner` is the one way in to all collectors. A collector is a plan or a short list of
requests. Its observation is evaluated in `vendorrisk.evaluation`, without network and clock.

`reading` hands the bodies that come back to the sandbox. `public_suffix` finds the part of a name that its owner
registered. `observation` holds the shared parts of observations.

Can never happen

- A byte leaves other than through the guard; a body, cookie, credential or form is sent; a port but 43, 53,
  80 or 443 is asked; more than 20 DKIM selectors are tried.
- A scan raises for a fault of the other side: a part is seen or `Unknown`.
- An instant, a nonce, a cookie's value, a person's name or address stands in an observation.
"""
