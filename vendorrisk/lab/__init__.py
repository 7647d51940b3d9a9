"""A small internet on loopback: what outside scans are tested against, and what a newcomer is shown.

    dns        a name server whose every answer may be scripted
    http       a web server whose every byte may be
    pki        a root, intermediates and every kind of bad certificate
    registry   WHOIS in several dialects, RDAP documents
    feeds      feed bodies in their published forms
    world      all of it as one place, with a guard that may reach loopback and nothing else
    story      a few vendors through a week, for `vendorrisk signals lab`

Names end in `.test`. Nothing here dials out: the guard's override takes loopback networks alone.
"""
