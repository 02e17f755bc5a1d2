-- One incident, with its evidence and how much came late. $1: its id.
SELECT incident_id, robot_id, at, opened, opened_by, text, completed, verdict, part, evidence,
    (SELECT count(*) FROM incident_frame WHERE incident_frame.incident_id = incident.incident_id AND NOT appended) AS frames,
    (SELECT count(*) FROM incident_frame WHERE incident_frame.incident_id = incident.incident_id AND appended)
        AS appended_frames
FROM incident WHERE incident_id = $1
