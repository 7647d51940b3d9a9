"""The one way out of the product: HTTP, raw TCP, TLS and DNS to hosts that others name.

    host       a name a vendor, a receiver or a redirect gave us; never an address (`hosts`)
    url        a URL that others name, parsed and rebuilt (`urls`)
    resolver   our own recursive DNS client: no search list, no hosts file, no cache (`resolver`, `dns_messages`)
    guard      resolves a host once and vets every address in the answer, or refuses (`guard`, `addresses`)
    vetted     a host with the addresses that passed; only such an address is dialled, as a literal
    transport  an httpx transport whose every new connection goes through the guard (`transport`, `streams`)
    session    for the length of a domain scan, answers remembered and connections kept (`sessions`)
    fetcher    GET and HEAD for scans, POST for webhooks and Slack, within limits (`fetcher`, `body`, `answer`)
    dial       a vetted raw or TLS connection, for certificate scans and WHOIS (`dialling`)
    pacer      gives turns by domain and address, and keeps the back-offs that hosts ask for (`pacing`)
    reason     why a host could not be reached: the closed list in `reasons`

Can never happen
- a connection to an address that was not in the answer just vetted: names are resolved here, for each
  connection or once a session, and the socket's own remote address is compared afterwards (DNS rebinding);
- a connection because *one* address of several was public: one private address refuses the host;
- a request through a proxy of the environment, with a cookie, or to a port outside the short list;
- a redirect followed without the whole check of its target, and none is followed for POST;
- a response without bounds: bytes on the wire, bytes after decoding, headers and time are all limited;
- the test switches (loopback networks, port map, `.test` names) in production: start-up refuses them.

A refusal or a failure of transport is an `EgressError` with its `Reason`. It is no evidence about the vendor. The SMTP
server, the database and Redis are the operator's own and are not reached through here.
"""
