"""Feeds: lists that are fetched once for all vendors, and their entries about one asset.

`feed_parser` reads KEV, EPSS, breaches, certificate issuances, exposure and scorecards, `hsts_preload` the preload
list, `ratings` the ratings that a tenant imports. `feed_observations` are observations made from feeds.
"""
