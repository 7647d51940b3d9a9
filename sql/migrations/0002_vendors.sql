-- 0002_vendors: written by its feature.
select 1;
