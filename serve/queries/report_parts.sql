-- Serials that robot $1 has reported: of each in a component the first and the last report.
SELECT component, serial, min(first) AS first, max(last) AS last
FROM part_seen WHERE robot_id = $1 GROUP BY component, serial ORDER BY component, first
