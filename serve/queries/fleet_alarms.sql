-- How many alarms operators have on their list, by state. What a parent speaks for is `muted`, whatever its state.
-- {condition}: of which robots, on robot_id alone.
SELECT CASE WHEN parent <> '' THEN 'muted' ELSE state END AS state, count(*) AS episodes
FROM episode
WHERE state <> 'normal' AND {condition}
GROUP BY 1
