"""The edge to callers.

    front         what every request passes first: request id, log line, metrics, headers, bounded concurrency
    exchange      one API request: credentials, limits, body, one transaction, idempotent answer, commit
    routing       how a handler is declared: its permission, its kind, its list
    bodies        strict JSON: what a body may not hold, and every fault it has
    files         files that come in: as the body, or as the one part of a form, which `multipart_file` reads
    headers       If-Match, ETag, Idempotency-Key, Prefer
    sparse        the fields that a caller wants of a response
    links         the neighbours of a page (RFC 8288)
    problems      refusals as RFC 9457 problem documents; the only file that knows statuses
    failures      whatever is raised becomes one of them
    idempotency   answers kept for requests that are repeated
    limits        token buckets
    addresses     where a request comes from, whatever its headers claim
    dependencies  what a handler may ask for: `Work`, `ExpectedVersion`, `PageRequest`
    service       what the API holds while it runs
    openapi       the document, completed from the declarations; served by `openapi_routes`
                  its parts: `openapi_operations`, `openapi_parameters`, `openapi_problems`, `openapi_examples`
    schemas       its schemas of bodies and responses; `schema_directions` closes what comes in, opens what goes out
    descriptions  its texts: strings under the fields of Structs, and `meanings`, which names have everywhere
    webhooks      its section of what is sent to others
    query_parameters  what each route takes of a query, read from the document
    reference     the document as a page for people, with `reference_examples`
    health        /health/live, /health/ready, /metrics

A handler has no `if`: typed things in, one operation, a typed thing out.
"""
