"""A small internet on loopback, for tests of scans and for a demonstration.

    dns        a name server whose every answer may be scripted
    http       a web server whose every byte may be
    pki        a root, intermediates and every kind of bad certificate
    registry   WHOIS in several dialects, RDAP documents
    feeds      feed bodies in their published forms
    world      all servers together, with a guard that may reach only loopback
    story      a few vendors through a week, for `vendorrisk signals lab`

Names end in `.test`. No code here dials out: the guard's override accepts only loopback networks.
"""
