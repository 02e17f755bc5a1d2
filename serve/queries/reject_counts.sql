-- How many rejects came since a moment, by topic and reason. $1: the moment.
SELECT topic, reason, count(*) AS records, max(received) AS latest
FROM reject
WHERE received >= $1
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
