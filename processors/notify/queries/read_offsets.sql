-- Where each partition stands.
SELECT topic, partition, next_offset FROM notified
