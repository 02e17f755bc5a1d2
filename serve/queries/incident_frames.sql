-- The frames that were frozen, in the order of time. $1: the incident.
SELECT * FROM incident_frame WHERE incident_id = $1 ORDER BY time, seq
