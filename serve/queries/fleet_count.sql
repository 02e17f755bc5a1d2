-- How many robots meet a condition (serve/filters.py).
SELECT count(*) AS robots FROM fleet_robot WHERE {condition}
