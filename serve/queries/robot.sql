-- One robot as it was last judged. $1: its code.
SELECT robot_id, first_time, status, zone, mode, software, scenario, open_episodes, last_seen, received, components,
    assessed
FROM robot_state
WHERE robot_id = $1
