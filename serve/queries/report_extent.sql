-- Whether robot $1 is known, and from when until when it has hours.
SELECT
    EXISTS (SELECT FROM robot WHERE robot_id = $1) OR EXISTS (SELECT FROM logbook_head WHERE robot_id = $1) AS known,
    (SELECT start FROM vitals_hourly WHERE robot_id = $1 ORDER BY start LIMIT 1) AS first,
    (SELECT start FROM vitals_hourly WHERE robot_id = $1 ORDER BY start DESC LIMIT 1) AS last,
    (SELECT cardinality(joint_wear_max) FROM vitals_hourly WHERE robot_id = $1 AND joint_wear_max IS NOT NULL
     ORDER BY start DESC LIMIT 1) AS wear_joints,
    (SELECT cardinality(joint_backlash_arcmin_max) FROM vitals_hourly
     WHERE robot_id = $1 AND joint_backlash_arcmin_max IS NOT NULL ORDER BY start DESC LIMIT 1) AS backlash_joints
