-- Who claimed to be which robot since a day, the latest first. $1: the day. $2: how many.
SELECT day, robot_id, reason, refused, partition, records, first, last, first_offset, last_offset, detail
FROM security_event
WHERE day >= $1
ORDER BY last DESC, robot_id, reason, partition
LIMIT $2
