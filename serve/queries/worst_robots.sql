-- The robots that need somebody most. $1: statuses from worst to best. $2: how many.
-- Health is told when it changes; when a robot was last seen, its newest frame knows better. A frame of a clock that
-- is ahead of ours would make a silent robot look alive, so only frames up to now count.
SELECT
    worst.robot_id, status, zone, mode, software, open_episodes, components,
    greatest(last_seen, latest.time) AS last_seen, greatest(worst.received, latest.received) AS received
FROM (
    SELECT
        robot_id, coalesce(health.status, 'UNKNOWN') AS status, zone, mode, software, open_episodes, last_seen, received,
        components, array_position($1::text[], coalesce(health.status, 'UNKNOWN')) AS rank
    FROM robot LEFT JOIN health USING (robot_id)
    ORDER BY rank, open_episodes DESC NULLS LAST, robot_id
    LIMIT $2
) AS worst
LEFT JOIN LATERAL (
    SELECT frame.time, frame.received FROM frame
    WHERE frame.robot_id = worst.robot_id AND frame.time <= now()
    ORDER BY frame.time DESC LIMIT 1
) AS latest ON true
ORDER BY rank, open_episodes DESC NULLS LAST, robot_id
