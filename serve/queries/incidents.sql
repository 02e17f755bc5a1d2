-- Incidents, the newest first. $1: of one robot, or NULL. $2: how many.
SELECT incident_id, robot_id, at, opened, opened_by, text, completed, verdict, part FROM incident
WHERE $1::text IS NULL OR robot_id = $1
ORDER BY at DESC, incident_id LIMIT $2
