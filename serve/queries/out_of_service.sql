-- What is out of service, the longest first. $1: a robot's code, or null. {condition}: which robots (serve/filters.py).
SELECT robot_id, component, actor, note, since
FROM out_of_service
WHERE ($1::text IS NULL OR robot_id = $1) AND {condition}
ORDER BY since, robot_id, component
