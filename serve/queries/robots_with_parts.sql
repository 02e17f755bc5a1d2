-- Robots in which these parts are now. $1: serials.
SELECT DISTINCT robot_id FROM installed_part WHERE serial = ANY ($1::text[])
