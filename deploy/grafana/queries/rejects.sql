-- Records that could not be used. The bytes of each are in table reject.
SELECT reason, count(*) AS records, count(DISTINCT key) AS keys, max(received) AS last, min(detail) AS "for example"
FROM reject
WHERE $__timeFilter(received)
GROUP BY reason
ORDER BY records DESC
