-- How many robots have each status. A robot without a judgement yet is UNKNOWN.
SELECT coalesce(health.status, 'UNKNOWN') AS status, count(*) AS robots
FROM robot LEFT JOIN health USING (robot_id)
GROUP BY 1
