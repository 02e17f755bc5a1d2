-- The receivers that the file has. $1, $2: names and kinds.
INSERT INTO receiver (name, kind, configured)
SELECT name, kind, true FROM unnest($1::text[], $2::text[]) AS new (name, kind)
ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, configured = true
