-- What was refused of what was sent. $1: the topic. $2 and $3: partitions and offsets, in pairs.
SELECT partition, record_offset, reason, detail FROM reject
WHERE topic = $1 AND (partition, record_offset) IN (SELECT * FROM unnest($2::integer[], $3::bigint[]))
