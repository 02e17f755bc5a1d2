-- Every robot in columns, a row a group. {key}: what they are grouped by; {status}: a digit for its status; {condition}:
-- which robots. $1: the moment that ages are told of. Each column is one text or one string of bytes: a hundred
-- thousand rows would take the driver longer than the server. The join with sites costs nothing where none is asked for.
WITH calling AS (
    SELECT robot_id, least(count(*), 9) AS unacknowledged FROM episode
    WHERE state = 'unacknowledged_active' AND parent = ''
    GROUP BY 1
)
SELECT
    key, count(*) AS robots, string_agg(robot_id, '') AS codes,
    string_agg({status}, '') AS status,
    string_agg(CASE zone WHEN '' THEN '-' ELSE zone END, '') AS zone,
    string_agg(coalesce(unacknowledged, 0)::text, '') AS unacknowledged,
    string_agg(int4send(
        CASE WHEN received IS NULL THEN -1 ELSE greatest(date_part('epoch', $1::timestamptz - received), 0)::integer END
    ), '') AS age_s
FROM (
    SELECT {key} AS key, robot_id, status, zone, received, unacknowledged
    FROM fleet_robot LEFT JOIN calling USING (robot_id) LEFT JOIN robot_site USING (robot_id)
    WHERE {condition}
    ORDER BY 1, 2
) AS ordered
GROUP BY 1
ORDER BY 1
