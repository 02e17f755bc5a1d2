-- The episodes of a robot that are not over, newest first. $1: its code.
SELECT episode_id, state, status, component, signal, rule, value, unit, limit_value, opened, last_sign, count, text
FROM episode
WHERE robot_id = $1 AND active
ORDER BY opened DESC, episode_id
