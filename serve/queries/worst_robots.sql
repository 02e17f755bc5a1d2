-- The robots that need somebody most. $1: statuses from worst to best. $2: how many.
SELECT
    robot_id, coalesce(health.status, 'UNKNOWN') AS status, zone, mode, software, open_episodes, last_seen, received,
    components
FROM robot LEFT JOIN health USING (robot_id)
ORDER BY array_position($1::text[], coalesce(health.status, 'UNKNOWN')), open_episodes DESC NULLS LAST, robot_id
LIMIT $2
