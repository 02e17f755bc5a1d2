-- As fleet_alarms.sql, where {condition} is also about what a robot's health says.
SELECT CASE WHEN parent <> '' THEN 'muted' ELSE state END AS state, count(*) AS episodes
FROM episode
WHERE state <> 'normal' AND robot_id IN (SELECT robot_id FROM fleet_robot WHERE {condition})
GROUP BY 1
