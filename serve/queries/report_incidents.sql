-- Incidents of robot $1 whose evidence was frozen.
SELECT incident_id, at, text, verdict FROM incident WHERE robot_id = $1 ORDER BY at, incident_id
