"""The edge to callers.

    outer_middleware    the first layer of every request: request id, log line, metrics, headers, bounded concurrency
    request_middleware  one API request: credentials, limits, body, one transaction, idempotent response, commit
    request_context     the state of one request, and the transactions that it opens
    held_response       a response that is held back until its transaction has ended
    places              the share of the process that one tenant may take
    pace                the slowest that a caller may send and take
    receiving           the bytes of a body: their announced length, coding and bound
    spool               a large body on its way in, hashed, on the disk
    routing             how a handler is declared: its permission, its kind, its list
    json_bodies         strict JSON: limits of a body, and all its errors at once
    file_bodies         files that come in: as the body, or as the one part of a form, read by `multipart_file`
    headers             If-Match, ETag, Idempotency-Key, Prefer
    sparse_responses    the requested fields of a response
    pagination_links    the neighbours of a page (RFC 8288)
    problems            refusals as RFC 9457 problem documents. The only file that knows statuses
    error_handlers      an exception of any kind becomes a problem document
    idempotency         responses stored for requests that are repeated
    rate_limits         token buckets
    client_address      the address of a caller behind trusted proxies
    dependencies        the arguments of handlers: `Work`, `ExpectedVersion`, `PageRequest`
    app_state           the API's state while it runs
    query_parameters    the query parameters of each route, read from the document
    health              /health/live, /health/ready, /metrics

A handler has no `if`: typed things in, one operation, a typed thing out.
"""
