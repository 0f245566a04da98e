-- Size of the table and of each of its indexes.
-- on: postgres
SELECT relname AS name, relkind AS kind, pg_size_pretty(pg_relation_size(oid)) AS size
FROM pg_class
WHERE oid = 'user_events'::regclass
   OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'user_events'::regclass)
ORDER BY pg_relation_size(oid) DESC, 1
