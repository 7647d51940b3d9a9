-- The `www` of a watched domain is watched with it: a third reason for an asset.
alter table vendor_assets
drop constraint vendor_assets_source_is_known,
add constraint vendor_assets_source_is_known check (source in ('person', 'vendor_record', 'domain'));
