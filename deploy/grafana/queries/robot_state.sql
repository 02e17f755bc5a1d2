-- Who it is and how it is. Its age counts by the broker's clock.
SELECT
    country, enterprise, model, serial, status, zone, mode, software, scenario, open_episodes, last_seen,
    extract(epoch FROM age) AS "seconds since its last frame", first_time AS "first frame"
FROM robot_state
WHERE robot_id = ${robot:sqlstring}
