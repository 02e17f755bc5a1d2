-- A page of robots. {score}, {order} and {after} follow from how they are sorted (serve/fleet.py); {condition}: which
-- robots. $1: statuses from best to worst. $2: the moment that ages are told of. $3 and $4: score and code that the
-- page before ended with, or nulls. $5: how many.
-- Health is told when it changes; when a robot was last seen, its newest frame knows better. A frame of a clock that is
-- ahead of ours would make a silent robot look alive, so only frames up to now count.
-- A robot's trouble is told by the episode that speaks for it, where one does and who asks may see it.
WITH listed AS (
    SELECT
        robot_id, min(opened) AS since, min(opened) FILTER (WHERE state = 'unacknowledged_active') AS calling_since,
        count(*) FILTER (WHERE state = 'unacknowledged_active') AS unacknowledged
    FROM episode
    WHERE state IN ('unacknowledged_active', 'acknowledged_active', 'unacknowledged_cleared') AND parent = ''
    GROUP BY 1
), page AS (
    SELECT * FROM (
        SELECT
            robot_id, status, zone, mode, software, scenario, open_episodes, last_seen, received, calling_since,
            coalesce(unacknowledged, 0) AS unacknowledged, {score} AS score
        FROM fleet_robot LEFT JOIN listed USING (robot_id) CROSS JOIN (SELECT $2::timestamptz AS as_of) AS asked
        WHERE {condition}
    ) AS scored
    WHERE $3::float8 IS NULL OR {after}
    ORDER BY {order}
    LIMIT $5
)
SELECT
    page.robot_id, page.status, zone, mode, page.software, page.scenario,
    coalesce(site, '') AS site, open_episodes, unacknowledged, calling_since,
    score, coalesce(worst.component, '') AS component, coalesce(worst.episode_id, '') AS episode_id,
    coalesce(worst.text, '') AS text, coalesce(worst.actor, '') AS actor, coalesce(worst.note, '') AS note,
    greatest(last_seen, latest.time) AS last_seen, greatest(page.received, latest.received) AS received
FROM page
LEFT JOIN robot_site ON robot_site.robot_id = page.robot_id
LEFT JOIN LATERAL (
    SELECT frame.time, frame.received FROM frame
    WHERE frame.robot_id = page.robot_id AND frame.time <= now()
    ORDER BY frame.time DESC LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
    SELECT
        own.component, coalesce(parent.episode_id, own.episode_id) AS episode_id, coalesce(parent.text, own.text) AS text,
        coalesce(parent.actor, own.actor) AS actor, coalesce(parent.note, own.note) AS note
    FROM (
        SELECT * FROM episode
        WHERE episode.robot_id = page.robot_id AND state <> 'normal'
        ORDER BY active DESC, array_position($1::text[], episode.status) DESC, opened LIMIT 1
    ) AS own LEFT JOIN episode AS parent ON parent.episode_id = own.parent
) AS worst ON true
ORDER BY {order}
