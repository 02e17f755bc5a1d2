-- Faults that nobody has looked at, oldest first, with the first of their frames that has landed. An episode has its id from its content, so what is told again
-- is known, and what a spool brings late is not live. $1: since when. $2: how many.
SELECT anomaly.robot_id, anomaly.episode_id, anomaly.first_time AS at,
    found.boot_id, found.seq
FROM anomaly
LEFT JOIN LATERAL (
    SELECT boot_id, seq FROM frame
    WHERE frame.robot_id = anomaly.robot_id AND frame.mode = 3
      AND frame.time >= anomaly.first_time AND frame.time <= anomaly.first_time + interval '10 seconds'
    ORDER BY time, seq LIMIT 1
) AS found ON true
WHERE anomaly.rule = 'mode' AND anomaly.transition = 'opened' AND anomaly.live AND anomaly.last_time > $1
  AND NOT EXISTS (SELECT FROM incident_fault WHERE incident_fault.episode_id = anomaly.episode_id)
ORDER BY anomaly.last_time
LIMIT $2
