-- Incidents that are completed and whose window's frames may still come. $1: since when.
SELECT incident_id, robot_id, at, opened_by FROM incident WHERE completed IS NOT NULL AND at > $1 ORDER BY at
