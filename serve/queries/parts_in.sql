-- What is in each component of a robot: as the robot last told, and as its logbook says. $1: its code.
SELECT coalesce(told.component, declared.component) AS component, told.serial, told.first, told.last,
    declared.serial AS declared, declared.part, declared.installed,
    ARRAY (
        SELECT DISTINCT elsewhere.robot_id FROM part_seen AS elsewhere
        WHERE elsewhere.serial = told.serial AND elsewhere.robot_id <> $1 AND elsewhere.last >= told.first
        ORDER BY elsewhere.robot_id LIMIT 5
    ) AS elsewhere
FROM (
    SELECT DISTINCT ON (component) component, serial, first, last FROM part_seen
    WHERE robot_id = $1 ORDER BY component, first DESC
) AS told
FULL JOIN (SELECT * FROM installed_part WHERE robot_id = $1) AS declared USING (component)
