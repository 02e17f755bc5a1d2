-- How many robots have each status. {condition}: which robots (serve/filters.py).
SELECT status, count(*) AS robots, (extract(epoch FROM max(received)) * 1000000)::bigint AS received_us
FROM fleet_robot
WHERE {condition}
GROUP BY 1
