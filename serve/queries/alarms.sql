-- What operators have on their list, worst first: what calls somebody, then what somebody has acknowledged, then what
-- has ended; what is muted last. $1: statuses from worst to best. $2: a robot's code, or null. $3: the muted too.
-- $4: how many.
SELECT
    episode_id, robot_id, component, rule, about, status, state, active, chattering, parent, opened, last_sign, cleared,
    shelved_until, count, actor, note, acted, text
FROM (
    SELECT *, parent <> '' OR state IN ('shelved', 'out_of_service') AS muted FROM episode
    WHERE state <> 'normal' AND ($2::text IS NULL OR robot_id = $2)
) AS listed
WHERE $3::boolean OR NOT muted
ORDER BY
    muted,
    array_position(
        ARRAY['unacknowledged_active', 'acknowledged_active', 'unacknowledged_cleared', 'shelved', 'out_of_service'], state
    ),
    array_position($1::text[], status), opened, episode_id
LIMIT $4
