"""Mail of a domain: `mail_setup` collects what its DNS and its policy host say.

The grammars stand here, because the collector needs them to know what to ask next: `dmarc` (RFC 9989), `spf_record`
with `spf_macros`, `spf` (`check_host` of RFC 7208) and `spf_audit` (every term that some sender could reach).
"""
