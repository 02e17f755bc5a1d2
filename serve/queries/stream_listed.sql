-- Every episode that operators have on their list, and whether it calls somebody.
SELECT
    episode_id, robot_id, transitions AS number,
    parent = '' AND state IN ('unacknowledged_active', 'unacknowledged_cleared') AS calls
FROM episode
WHERE state <> 'normal'
