-- What happened to a robot's episodes that held at some moment of a stretch of time, up to its end and, if that is
-- later, up to $4. $1: the robot. $2 to $3: the stretch.
SELECT anomaly.* FROM anomaly
JOIN (
    SELECT episode_id FROM episode
    WHERE robot_id = $1 AND opened <= $3 AND (active OR coalesce(cleared, last_sign) >= $2)
) AS held USING (episode_id)
WHERE robot_id = $1 AND coalesce(acted, last_time) <= greatest($3, $4::timestamptz)
ORDER BY episode_id, number
