-- One robot as it was last judged. $1: its code.
SELECT robot_id, first_time, status, zone, mode, software, scenario, open_episodes, last_seen, received, components,
    assessed, coalesce(site, '') AS site
FROM robot_state LEFT JOIN robot_site USING (robot_id)
WHERE robot_id = $1
