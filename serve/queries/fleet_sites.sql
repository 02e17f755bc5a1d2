-- How many robots that have sent anything are at each site. {condition}: which robots.
SELECT site AS value, count(*) AS robots
FROM robot_site JOIN robot USING (robot_id)
WHERE {condition}
GROUP BY 1
ORDER BY robots DESC, value
