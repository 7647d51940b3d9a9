"""Channels of messages: Slack, e-mail, signed webhooks, the console.

    message   the content in neutral parts; every channel gives it its own form (`port`)
    address   the destination: one type per channel, secrets inside, so that it is stored sealed
    key       the delivery's own id; it travels with the message so that a receiver can drop a duplicate
    channel   an adapter: `send(message, to, key)` gives `Sent` or raises `Undeliverable`
    failure   why a message was not accepted: the closed list in `port`, with whether a retry makes sense

One file a channel: `slack`, `mail`, `webhook`, `console`; `outlets` chooses by the address. `slack_form` and
`mail_form` are the forms, pure; `text` is shared by all forms, `posting` by Slack and webhooks.

How the key travels: `webhook-id` (Standard Webhooks), `Message-ID` (RFC 5322), `block_id` of the first block and
message metadata (Slack), in brackets before the text (console).

Can never happen
- a send without an end: each has a timeout, after which the message counts as *perhaps* accepted;
- a vendor's text that mentions people, starts a channel alarm, links elsewhere or adds a header: it is escaped in
  the form and refused in the header, for every feature;
- a webhook or Slack call that leaves by another way than the guarded client; only SMTP dials by itself, because
  the mail server is the operator's own and often private;
- a secret in `Undeliverable` or `Sent`: both are shown to people.
"""
