-- Links to reports of robot $1, or of all where it is null, the newest first.
SELECT link_id, robot_id, made, made_by, expires, revoked
FROM report_link WHERE $1::text IS NULL OR robot_id = $1 ORDER BY made DESC, link_id
