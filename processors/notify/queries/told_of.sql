-- What receivers know of episodes. $1: episodes.
SELECT receiver, episode_id, phase, number, route, held, returned, parent,
    (extract(epoch FROM hold_until) * 1000000)::bigint AS hold_us,
    (extract(epoch FROM asked) * 1000000)::bigint AS asked_us
FROM told WHERE episode_id = ANY($1::text[])
