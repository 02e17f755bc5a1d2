-- Freeze records that are not frozen yet. $1: the incident. $2: its robot. $3: whether they come after it was
-- completed. $4 to $7: id, kind, time and content of each.
INSERT INTO incident_record (incident_id, record_id, robot_id, kind, time, frozen, appended, record)
SELECT $1, record_id, $2, kind, time, clock_timestamp(), $3, record::jsonb
FROM unnest($4::text[], $5::text[], $6::timestamptz[], $7::text[]) AS new (record_id, kind, time, record)
ON CONFLICT DO NOTHING
