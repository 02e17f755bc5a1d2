-- A robot's episodes that held at some moment of a stretch of time, the oldest first, with who acknowledged each last.
-- $1: its code. $2 and $3: from when until when. $4: how many, the newest of them.
SELECT *
FROM (
    SELECT
        episode.episode_id, component, signal, rule, about, status, state, active, parent, opened, last_sign, cleared,
        shelved_until, text, episode.actor, episode.note, coalesce(acknowledgement.actor, '') AS acknowledged_by,
        acknowledgement.acted AS acknowledged
    FROM episode
    LEFT JOIN LATERAL (
        SELECT anomaly.actor, anomaly.acted FROM anomaly
        WHERE anomaly.episode_id = episode.episode_id AND anomaly.transition = 'acknowledged'
        ORDER BY anomaly.number DESC LIMIT 1
    ) AS acknowledgement ON true
    WHERE robot_id = $1 AND opened < $3 AND (active OR coalesce(cleared, last_sign) >= $2)
    ORDER BY opened DESC, episode.episode_id
    LIMIT $4
) AS newest
ORDER BY opened, episode_id
