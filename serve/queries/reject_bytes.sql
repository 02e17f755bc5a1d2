-- The bytes of rejects of one topic. $1: the topic. $2, $3: their partitions and offsets.
SELECT partition, record_offset, key, value, seal
FROM reject JOIN unnest($2::int[], $3::bigint[]) AS wanted (partition, record_offset) USING (partition, record_offset)
WHERE topic = $1
ORDER BY partition, record_offset
