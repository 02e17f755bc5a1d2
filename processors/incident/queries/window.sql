-- What was frozen of the window when it was completed, in the order of time. $1: the incident.
SELECT {columns} FROM incident_frame WHERE incident_id = $1 AND NOT appended ORDER BY time, seq
