-- What waits, by receiver; the age of the oldest that is due. $1: the time.
SELECT receiver.name, receiver.disabled IS NOT NULL AS disabled, count(delivery.id) AS pending,
    coalesce(extract(epoch FROM $1 - min(delivery.ready) FILTER (WHERE delivery.ready <= $1)), 0)::float8 AS oldest_s
FROM receiver
LEFT JOIN delivery ON delivery.receiver = receiver.name AND delivery.state IN ('pending', 'sending')
WHERE receiver.configured
GROUP BY receiver.name
