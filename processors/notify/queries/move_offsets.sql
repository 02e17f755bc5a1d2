-- The fence: a partition that is not where the batch begins belongs to somebody else now. $1 to $4: topics,
-- partitions, where the batch begins and where it ends.
UPDATE notified SET next_offset = batch.next
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) AS batch (topic, partition, first, next)
WHERE notified.topic = batch.topic AND notified.partition = batch.partition AND notified.next_offset = batch.first
