-- Of other robots of the model how many showed the same in the two weeks before: those that ran this version at the
-- time, those that ran another, those overdue with the same task on the same component, and those known not to be.
-- $1: the robot. $2: the moment. $3: the version. $4: signals. $5: the component. $6: tasks of this robot's that are
-- overdue on it.
WITH others AS (
    SELECT robot.robot_id, (
        SELECT software FROM vitals_hourly
        WHERE vitals_hourly.robot_id = robot.robot_id AND start <= $2 AND start > $2::timestamptz - interval '14 days'
        ORDER BY start DESC LIMIT 1
    ) AS software
    FROM robot
    WHERE robot_id ^@ substr($1, 1, 12) AND robot_id <> $1
), shown AS (
    SELECT others.robot_id, others.software, signs.same, signs.there,
        (SELECT bool_or(state = 'overdue') FROM maintenance_task
         WHERE maintenance_task.robot_id = others.robot_id AND component = $5 AND task = ANY ($6::text[])) AS overdue
    FROM others
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS same, count(*) FILTER (WHERE component = $5) > 0 AS there FROM episode
        WHERE episode.robot_id = others.robot_id AND about = 'machine' AND signal = ANY ($4::text[])
          AND opened <= $2::timestamptz + interval '10 seconds' AND opened > $2::timestamptz - interval '14 days'
    ) AS signs
    WHERE others.software IS NOT NULL
)
SELECT count(*) FILTER (WHERE software = $3) AS same_robots,
    count(*) FILTER (WHERE software = $3 AND same) AS same_affected,
    count(*) FILTER (WHERE software <> $3) AS other_robots,
    count(*) FILTER (WHERE software <> $3 AND same) AS other_affected,
    count(*) FILTER (WHERE overdue) AS overdue_robots,
    count(*) FILTER (WHERE overdue AND there) AS overdue_affected,
    count(*) FILTER (WHERE NOT overdue) AS current_robots,
    count(*) FILTER (WHERE NOT overdue AND there) AS current_affected
FROM shown
