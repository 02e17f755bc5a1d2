-- What operators have to do with the episodes that are not over. What a parent speaks for stands apart.
SELECT CASE WHEN parent <> '' THEN 'part of another' ELSE state END AS state, count(*) AS alarms
FROM episode
WHERE state <> 'normal'
GROUP BY 1
ORDER BY alarms DESC
