-- The catalogue's entries about the schema `public`, for `vendorrisk schema`. Every list is ordered by name in "C", so
-- that each Postgres from 15 to 18 gives the same text. Objects of an extension are left out.

-- name: unknown_objects
-- Kinds of objects that the dump has no words for. It refuses to leave them out.
select found.what
from (
    select case c.relkind
            when 'v' then 'view' when 'm' then 'materialised view' when 'f' then 'foreign table'
            when 'S' then 'sequence' else 'type'
        end || ' ' || c.relname as what, 'pg_class'::regclass as catalogue, c.oid as id
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm', 'f', 'c', 'S')
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'i')
    union all
    select 'type ' || t.typname, 'pg_type'::regclass, t.oid
    from pg_type t
    where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd', 'r')
    union all
    select 'aggregate ' || p.proname, 'pg_proc'::regclass, p.oid
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind in ('a', 'w')
    union all
    select 'statistics ' || s.stxname, 'pg_statistic_ext'::regclass, s.oid
    from pg_statistic_ext s
    where s.stxnamespace = 'public'::regnamespace
    union all
    select 'rule ' || r.rulename, 'pg_rewrite'::regclass, r.oid
    from pg_rewrite r
    join pg_class c on c.oid = r.ev_class
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    union all
    select 'schema ' || n.nspname, 'pg_namespace'::regclass, n.oid
    from pg_namespace n
    where n.nspname not like 'pg\_%' and n.nspname not in ('public', 'information_schema')
) as found
where not exists (
    select from pg_depend d
    where d.classid = found.catalogue and d.objid = found.id and d.deptype = 'e'
)
order by found.what collate "C";

-- name: schema_roles
select rolname::text as name, rolcanlogin as can_login, rolinherit as inherits, rolsuper as is_superuser,
    rolbypassrls as bypasses_rls, rolcreaterole as makes_roles, rolcreatedb as makes_databases
from pg_roles
where rolname like 'vendorrisk\_%' and not rolcanlogin
order by rolname collate "C";

-- name: schema_extensions
select extname::text as name from pg_extension where extname <> 'plpgsql' order by extname collate "C";

-- name: schema_functions
-- `needs_tables`: an argument or the result has the type of a table's rows.
select case p.prokind when 'p' then 'procedure' else 'function' end as kind,
    p.oid::regprocedure::text as signature,
    pg_get_functiondef(p.oid) as definition,
    exists (
        select from pg_depend d
        join pg_type t on t.oid = d.refobjid
        left join pg_type e on e.oid = t.typelem
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_type'::regclass
            and (t.typrelid <> 0 or e.typrelid <> 0)
    ) as needs_tables,
    p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0) as is_public,
    obj_description(p.oid, 'pg_proc') as comment
from pg_proc p
where p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p')
    and not exists (
        select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    )
order by p.proname collate "C", p.oid::regprocedure::text collate "C";

-- name: schema_tables
select c.oid::bigint as id, c.relname::text as name,
    case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partitioned_by,
    p.relname::text as parent,
    case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end as bound,
    array_to_string(c.reloptions, ', ') as options,
    c.relrowsecurity as has_rls, c.relforcerowsecurity as has_forced_rls,
    c.relpersistence = 'u' as is_unlogged,
    obj_description(c.oid, 'pg_class') as comment
from pg_class c
left join pg_inherits i on i.inhrelid = c.oid
left join pg_class p on p.oid = i.inhparent
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and not exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
order by c.relname collate "C";

-- name: schema_columns
select a.attrelid::bigint as table_id, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
    case when a.attcollation <> t.typcollation then l.collname::text end as collation,
    a.attnotnull as is_required, a.attidentity::text as identity, a.attgenerated::text as generated,
    pg_get_expr(e.adbin, e.adrelid, true) as expression,
    col_description(a.attrelid, a.attnum) as comment
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_type t on t.oid = a.atttypid
left join pg_collation l on l.oid = a.attcollation
left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum;

-- name: schema_constraints
-- Primary keys first, then unique and exclusion, checks, references. NOT NULL is written at its column: from Postgres
-- 18 on it is a constraint as well.
select n.conrelid::bigint as table_id, n.conname::text as name, pg_get_constraintdef(n.oid, true) as definition,
    case when n.contype = 'f' then n.confrelid::bigint end as refers_to
from pg_constraint n
join pg_class c on c.oid = n.conrelid
where c.relnamespace = 'public'::regnamespace and n.contype in ('p', 'u', 'x', 'c', 'f') and n.conparentid = 0
    and not (c.relispartition and not n.conislocal)
order by n.conrelid, position(n.contype::text in 'puxcf'), n.conname collate "C";

-- name: schema_indexes
select x.indrelid::bigint as table_id, pg_get_indexdef(x.indexrelid, 0, true) as definition, x.indisvalid as is_valid
from pg_index x
join pg_class c on c.oid = x.indrelid
join pg_class i on i.oid = x.indexrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not i.relispartition
    and not exists (select from pg_constraint n where n.conindid = x.indexrelid and n.contype in ('p', 'u', 'x'))
order by x.indrelid, i.relname collate "C";

-- name: schema_triggers
select t.tgrelid::bigint as table_id, t.tgname::text as name, pg_get_triggerdef(t.oid, true) as definition,
    t.tgenabled = 'O' as is_enabled
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgparentid = 0
order by t.tgrelid, t.tgname collate "C";

-- name: schema_policies
-- `needs_tables`: it refers to other tables than its own.
select p.polrelid::bigint as table_id, p.polname::text as name, p.polpermissive as is_permissive,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
        else 'all' end as command,
    array(
        select r.name
        from (select case when id = 0 then 'public' else id::regrole::text end as name from unnest(p.polroles) as id) r
        order by r.name collate "C"
    ) as roles,
    exists (
        select from pg_depend d
        where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
            and d.refobjid <> p.polrelid
    ) as needs_tables,
    pg_get_expr(p.polqual, p.polrelid, true) as sees, pg_get_expr(p.polwithcheck, p.polrelid, true) as writes
from pg_policy p
join pg_class c on c.oid = p.polrelid
where c.relnamespace = 'public'::regnamespace
order by p.polrelid, p.polname collate "C";

-- name: schema_grants
-- Privileges of others than the owner: on tables, single columns, functions, and the schema itself.
select g.target, g.grantee, string_agg(g.privilege, ', ' order by g.privilege) as privileges, g.table_id
from (
    select c.relname::text as target,
        case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as grantee,
        lower(a.privilege_type) as privilege, c.oid::bigint as table_id
    from pg_class c
    cross join lateral aclexplode(c.relacl) as a
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.grantee <> c.relowner
    union all
    select c.relname::text, case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
        lower(a.privilege_type) || ' (' || t.attname || ')', c.oid::bigint
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid
    cross join lateral aclexplode(t.attacl) as a
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.grantee <> c.relowner
    union all
    select case p.prokind when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure::text,
        a.grantee::regrole::text, lower(a.privilege_type), null
    from pg_proc p
    cross join lateral aclexplode(p.proacl) as a
    where p.pronamespace = 'public'::regnamespace and a.grantee <> p.proowner and a.grantee <> 0
    union all
    select 'schema public', case when a.grantee = 0 then 'public' else a.grantee::regrole::text end,
        lower(a.privilege_type), null
    from pg_namespace n
    cross join lateral aclexplode(n.nspacl) as a
    where n.nspname = 'public' and a.grantee <> n.nspowner
) as g
where not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = g.table_id and d.deptype = 'e'
)
group by g.target, g.grantee, g.table_id
order by g.target collate "C", g.grantee collate "C";
