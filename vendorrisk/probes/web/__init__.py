"""Web of a host: `site` collects its front page, `pages` a named page, `status_page` a page of incidents.

`robots_txt` decides which paths may be read. `html_bounds` holds the bounds of a page before it is parsed.
`front_page`, `security_txt`, `page_parser` and `status_page_parser` parse responses, in the sandbox's child.
"""
