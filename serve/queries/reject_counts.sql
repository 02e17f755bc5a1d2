-- How many rejects came since a moment, by topic and reason. $1: the moment. $2: how the keys begin of those that are
-- meant; null: all. A key is what its sender has claimed to be; it need not be text.
SELECT topic, reason, count(*) AS records, max(received) AS latest
FROM reject
WHERE received >= $1 AND ($2::text[] IS NULL OR encode(key, 'escape') ^@ ANY ($2))
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
