-- How many episodes operators have on their list, by state. What a parent speaks for is `muted`, whatever its state.
SELECT CASE WHEN parent <> '' THEN 'muted' ELSE state END AS state, count(*) AS episodes
FROM episode
WHERE state <> 'normal'
GROUP BY 1
