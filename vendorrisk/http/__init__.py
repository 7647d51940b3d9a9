"""The edge to callers.

    outer_middleware    what every request passes first: request id, log line, metrics, headers, bounded concurrency
    request_middleware  one API request: credentials, limits, body, one transaction, idempotent response, commit
    routing             how a handler is declared: its permission, its kind, its list
    json_bodies         strict JSON: what a body may not hold, and all its errors at once
    file_bodies         bodies that are files, and small enough to be read whole
    headers             If-Match, ETag, Idempotency-Key, Prefer
    pagination_links    the neighbours of a page (RFC 8288)
    problems            refusals as RFC 9457 problem documents; the only file that knows statuses
    error_handlers      an exception of any kind becomes a problem document
    idempotency         responses stored for requests that are repeated
    rate_limits         token buckets
    client_address      the address of a caller behind trusted proxies
    dependencies        what a handler may ask for: `Work`, `ExpectedVersion`, `PageRequest`
    app_state           what the API holds while it runs
    openapi             the document, completed from the declarations; `schemas` has those of bodies
    webhook_docs        its section of what is sent to others
    docs_page           the document as a page for people, with `docs_page_examples`
    health              /health/live, /health/ready, /metrics

A handler has no `if`: typed things in, one operation, a typed thing out.
"""
