-- A report that was withdrawn by mistake is recorded again from the same document: only those that count are unique.
create index soc2_reports_by_document on soc2_reports (tenant_id, document_id) where document_id is not null;
alter table soc2_reports drop constraint soc2_reports_document_is_recorded_once;
create unique index soc2_reports_document_is_recorded_once on soc2_reports (tenant_id, document_id)
where withdrawn_at is null;
