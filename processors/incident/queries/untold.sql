-- Incidents whose entry for the logbook is still to be sent, with what it says; a robot without a logbook has none to
-- send to. No parameters.
SELECT incident_id, robot_id, at, completed, verdict, part, text FROM incident
WHERE told IS NULL AND completed IS NOT NULL
  AND EXISTS (SELECT FROM logbook_head WHERE logbook_head.robot_id = incident.robot_id)
ORDER BY completed LIMIT 100
