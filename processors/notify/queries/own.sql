-- Whether this session is the one that sends to a receiver, now or since before. $1: its name.
SELECT pg_try_advisory_lock(hashtextextended('robovitals.notify/' || $1, 0))
