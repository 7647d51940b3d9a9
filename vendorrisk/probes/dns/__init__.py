"""DNS of a domain: `dns_setup` with `delegation` collects, `dns_lookups` holds questions and answers.

`dns_records` has the grammars of the records that are read (MTA-STS, TLS-RPT, CAA, BIMI, DKIM, TLSA), `takeover` the
services where a lost name can be claimed.
"""
