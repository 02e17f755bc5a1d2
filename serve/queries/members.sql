-- The episodes that a parent speaks for, worst first. $1: the parent's id. $2: statuses from worst to best. $3: how many.
SELECT
    episode_id, robot_id, component, rule, about, status, state, active, chattering, parent, opened, last_sign, cleared,
    shelved_until, count, actor, note, acted, text
FROM episode
WHERE parent = $1
ORDER BY active DESC, array_position($2::text[], status), opened, episode_id
LIMIT $3
