-- A partition that is new begins where its log does. $1 to $3: topics, partitions and where their logs begin.
INSERT INTO notified (topic, partition, next_offset)
SELECT topic, partition, next_offset
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS new (topic, partition, next_offset)
ON CONFLICT DO NOTHING
