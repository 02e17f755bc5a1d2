-- What was frozen beside frames, in the order of time. $1: the incident.
SELECT record_id, kind, time, frozen, appended, record FROM incident_record
WHERE incident_id = $1 ORDER BY time NULLS FIRST, record_id
