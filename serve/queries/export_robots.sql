-- Whose rows are exported. {condition}: which robots (serve/filters.py).
SELECT robot_id FROM fleet_robot WHERE {condition} ORDER BY robot_id
