"""Mail of a domain: `mail_setup` collects its DNS records and its policy file.

The grammars are here, because the collector needs them to find its next questions: `dmarc` (RFC 9989), `spf_record`
with `spf_macros`, `spf` (`check_host` of RFC 7208) and `spf_audit` (every term that some sender could reach).
"""
