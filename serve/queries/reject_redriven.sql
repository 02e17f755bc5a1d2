-- They were sent again. $1: the topic. $2, $3: their partitions and offsets. $4: by whom.
UPDATE reject SET redriven = now(), redriven_by = $4
FROM unnest($2::int[], $3::bigint[]) AS wanted (partition, record_offset)
WHERE reject.topic = $1 AND reject.partition = wanted.partition AND reject.record_offset = wanted.record_offset
