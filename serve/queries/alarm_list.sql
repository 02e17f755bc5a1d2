-- The operators' list, a row a heap: episodes of one cause lie on one, where they are to be grouped; every other
-- episode is one by itself. $1: states, the most urgent first. $2: whether those that a parent speaks for are meant.
-- $3: whether to group. $4: statuses from best to worst. $5 to $8: rank, severity, opened and heap that the page before
-- ended with, or nulls. $9: how many. {condition}: which episodes (serve/alarm_list.py).
WITH listed AS (
    SELECT
        episode_id, robot_id, state, status, opened,
        CASE WHEN $3::boolean AND cause <> '' THEN cause ELSE episode_id END AS heap
    FROM episode
    WHERE state = ANY ($1::text[]) AND (parent <> '') = $2 AND {condition}
), heaps AS (
    SELECT
        heap, count(*) AS episodes, count(DISTINCT robot_id) AS robots, min(opened) AS opened,
        count(*) FILTER (WHERE state LIKE 'unacknowledged%') AS unacknowledged,
        min(array_position($1::text[], state)) AS rank, max(array_position($4::text[], status)) AS severity,
        (array_agg(episode_id ORDER BY opened, episode_id))[1:500] AS episode_ids
    FROM listed
    GROUP BY heap
)
SELECT * FROM heaps
WHERE $5::integer IS NULL OR (rank, -severity, opened, heap) > ($5, -$6::integer, $7::timestamptz, $8::text)
ORDER BY rank, severity DESC, opened, heap
LIMIT $9
