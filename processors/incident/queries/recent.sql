-- What counts against another incident of a robot. $1: the robot. $2: the fault's moment.
SELECT
    (SELECT count(*) FROM incident
     WHERE robot_id = $1 AND at BETWEEN $2::timestamptz - interval '10 minutes' AND $2::timestamptz + interval '10 minutes')
        AS near,
    (SELECT count(*) FROM incident_fault
     WHERE robot_id = $1 AND incident_id IS NOT NULL
       AND at > $2::timestamptz - interval '1 day' AND at <= $2::timestamptz + interval '1 day') AS of_day,
    (SELECT count(*) FROM incident_fault WHERE incident_id IS NOT NULL AND seen > $3::timestamptz - interval '1 hour')
        AS of_fleet
