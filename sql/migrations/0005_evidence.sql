-- 0005_evidence: written by its feature.
select 1;
