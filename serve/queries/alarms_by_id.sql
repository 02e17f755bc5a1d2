-- Episodes by their ids, those that are on no list any more too. $1: the ids.
SELECT
    episode_id, robot_id, component, rule, about, status, state, active, chattering, parent, opened, last_sign, cleared,
    shelved_until, count, actor, note, acted, text
FROM episode
WHERE episode_id = ANY ($1)
