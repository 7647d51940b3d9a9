"""Feeds: public lists that are fetched once for all vendors, such as breaches, exploited products and registries.

The words:

    feed       a list with a publisher, a licence and an attribution; fetched again when it may have changed
    item       one entry of a feed, stored under the subject that it concerns
    subject    what an item is found by: a domain, a product, a CVE, an address

Invariants:

- A feed's body is a stranger's bytes: it is read in the sandbox's child.
- A fetch that fails leaves the earlier items, and says why it failed.
- A feed that an operator disables is not asked.

Beside the customary files:

    sources    the feeds: address, cadence, attribution, and the rules that read them
    fetch      a feed that is due is claimed, fetched and stored
    reading    a body becomes items. Pure

`vendorrisk.signals` reads the items.
"""
