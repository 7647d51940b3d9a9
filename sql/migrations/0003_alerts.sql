-- 0003_alerts: written by its feature.
select 1;
