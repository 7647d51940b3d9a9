"""`vendorrisk demo`: a tenant of believable fiction, and its Monday morning on the console.

Stands above the features and enters through their services, so that it shows the product as it works. All
names are invented, all domains reserved for examples (RFC 2606), and the seed is fixed: two runs on one day make the
same.

    fiction   the company and its vendors, and the story in the reports of each
    filling   writes it all, in one transaction
    monday    the sweep, sent to the console, and the tables that sum it up
"""
