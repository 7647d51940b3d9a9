-- The checksum inside API keys is keyed, so that an invented key never costs a look into the database. Its secret belongs
-- to the installation and never changes: the keys that were given out depend on it. It guards work, not data.
create table key_checksum (
    is_only boolean primary key default true,
    secret bytea not null,
    constraint key_checksum_is_one check (is_only),
    constraint key_checksum_secret_has_32_bytes check (octet_length(secret) = 32)
);
comment on table key_checksum is 'the secret of the checksum inside API keys: whoever knows it can make keys look plausible, and no more';
-- From random UUIDs, which need no extension: 244 random bits.
insert into key_checksum (secret)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
call guard_operators_table('key_checksum', 'select', true);
