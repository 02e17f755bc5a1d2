-- Partitions of which all was read at a time, where something waits to hear that. $1 to $3: topics, partitions and
-- their next offsets. $4: the time.
UPDATE notified SET caught_up = $4
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS read (topic, partition, next_offset)
WHERE notified.topic = read.topic AND notified.partition = read.partition
  AND notified.next_offset = read.next_offset
  AND EXISTS (
    SELECT FROM delivery
    WHERE delivery.partition = notified.partition AND delivery.state = 'pending' AND delivery.ready <= $4
      AND (notified.caught_up IS NULL OR notified.caught_up < delivery.ready)
  )
