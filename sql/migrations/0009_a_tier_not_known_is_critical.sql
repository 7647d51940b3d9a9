-- A vendor without a tier has the thresholds of a critical one, but receivers of critical vendors were not notified. An
-- unknown tier now counts as critical here too. Alerts without a vendor still pass no filter by tier.
create or replace function alert_recipients(for_tenant uuid, of_class text, of_vendor uuid)
returns table (receiver_id uuid, recipient text, name text, kind text, destination text)
language sql stable
as $$
    select r.id, coalesce(m.email::text, ''), r.name, r.kind, coalesce(m.email::text, r.destination)
    from receivers r
    left join vendors v on v.tenant_id = for_tenant and v.id = of_vendor
    left join members m
        on r.kind = 'owners' and m.tenant_id = for_tenant and m.is_active
        and m.id in (v.business_owner_id, v.security_owner_id)
    where r.tenant_id = for_tenant and r.removed_at is null and r.is_active
        and (r.classes is null or of_class = any (r.classes))
        and (r.tiers is null or (v.id is not null and coalesce(v.tier, 'critical') = any (r.tiers)))
        and (r.owner_ids is null or v.business_owner_id = any (r.owner_ids) or v.security_owner_id = any (r.owner_ids))
        and (r.kind <> 'owners' or m.id is not null)
        and (r.kind <> 'email' or r.confirmed_at is not null)
$$;
