-- 0004_findings: written by its feature.
select 1;
