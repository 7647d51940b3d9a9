"""The edge to callers.

    outer_middleware    what every request passes first: request id, log line, metrics, headers, bounded concurrency
    request_middleware  one API request: credentials, limits, body, one transaction, idempotent response, commit
    routing             how a handler is declared: its permission, its kind, its list
    json_bodies         strict JSON: what a body may not hold, and all its errors at once
    file_bodies         files that come in: as the body, or as the one part of a form, read by `multipart_file`
    headers             If-Match, ETag, Idempotency-Key, Prefer
    sparse_responses    the fields that a caller wants of a response
    pagination_links    the neighbours of a page (RFC 8288)
    problems            refusals as RFC 9457 problem documents; the only file that knows statuses
    error_handlers      an exception of any kind becomes a problem document
    idempotency         responses stored for requests that are repeated
    rate_limits         token buckets
    client_address      the address of a caller behind trusted proxies
    dependencies        what a handler may ask for: `Work`, `ExpectedVersion`, `PageRequest`
    app_state           what the API holds while it runs
    query_parameters    what each route takes of a query, read from the document
    health              /health/live, /health/ready, /metrics

A handler has no `if`: typed things in, one operation, a typed thing out.
"""
