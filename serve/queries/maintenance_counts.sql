-- Of each task how many robots have it due or overdue. No parameters.
SELECT task, max(text) AS text, count(DISTINCT robot_id) FILTER (WHERE state = 'overdue') AS overdue,
    count(DISTINCT robot_id) FILTER (WHERE state = 'due') AS due
FROM maintenance_task WHERE state IN ('due', 'overdue')
GROUP BY task ORDER BY overdue DESC, due DESC, task
