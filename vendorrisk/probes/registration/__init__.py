"""Registration of a domain: `domain_registration` collects it from registries.

`rdap` and `whois_parser` read the answers. python-whois is asked for a `whois_fallback` only where our own parser finds
nothing, and inside the sandbox.
"""
