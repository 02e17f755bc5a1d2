-- How many robots' maintenance is followed, how many have something due and overdue, and when the oldest of them was
-- held against its counters. No parameters.
SELECT count(*) AS robots, min(judged) AS judged,
    (SELECT count(DISTINCT robot_id) FROM maintenance_task WHERE state = 'overdue') AS overdue,
    (SELECT count(DISTINCT robot_id) FROM maintenance_task WHERE state = 'due') AS due
FROM maintenance_judged
