"""Outside looks: one file per kind, each leaving a canonical raw observation behind.

    look          one visit to one asset for one group of signals; asks only through `vendorrisk.egress`
    observation   what the look brought back: a Struct whose canonical JSON is the same whenever the world is
    unseen        in place of a part that could not be seen, with the reason; never a verdict
    question      a DNS name and record type
    answers       the questions asked and what came of them
    plan          a pure function that says which questions answers still lack

Collectors: `tls`, `web`, `email`, `nameservice` with `delegation`, `registration`, `pages`, `status`; all of them
behind `port`. `joined` are observations that come of lists, not of the vendor's machines. A collector is a plan or a
short list of requests, nothing more; what the observation means is decided in `vendorrisk.signals`, without network and
without clock.

The grammars of the standards stand here, since a collector needs them to know where to look next: `spf` with its
`macros`, `dmarc`, `records` (MTA-STS, TLS-RPT, CAA, BIMI, DKIM, TLSA), `security_txt`, `clienthello`, `certificates`,
`rdap`, `whois_text`, `page_text`, `status_text`, `feeds`, `ratings`, `preload`; `domains` says which part of a name its
owner registered, and `takeover` lists where a lost name can be claimed. python-whois is asked for a `whois_opinion`
only where our own reader finds nothing, and inside the sandbox.

What can never happen

- A byte leaves other than through the guard; a body, cookie, credential or form is sent; a port but 43, 53,
  80 or 443 is asked; more than 20 DKIM selectors are tried.
- A look raises for what the other side does: a part is seen or `Unseen`.
- An instant, a nonce, a cookie's value, a person's name or address stands in an observation.
"""
