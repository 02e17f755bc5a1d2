-- What is due in the fleet, a row a robot and task, the furthest beyond first. $1: due or overdue. $2: how many. $3: of
-- which task, NULL: any.
SELECT task.robot_id, task.task, max(task.text) AS text, count(*) AS components,
    (array_agg(task.component ORDER BY task.used DESC NULLS LAST, task.component))[1] AS component,
    max(task.used) AS used, min(task.overdue_since) AS overdue_since, max(task.done) AS done
FROM maintenance_task AS task
WHERE task.state = $1 AND ($3::text IS NULL OR task.task = $3)
GROUP BY task.robot_id, task.planned, task.task
ORDER BY used DESC NULLS LAST, task.robot_id, task.task
LIMIT $2
