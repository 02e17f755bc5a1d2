-- How each task of a robot stands, worst first. $1: its code.
SELECT task.robot_id, task.task, task.component, nullif(task.planned, 0) AS planned, task.text, task.since,
    task.since_entry, task.done, task.done_entry, task.closed,
    to_timestamp(0) + task.date_us[2] * interval '1 us' AS due_date, task.runtime_s[2] AS due_runtime_s,
    task.cycles[2] AS due_cycles, task.wear[2] AS due_wear, task.state, task.used, task.overdue_since, judged.judged
FROM maintenance_task AS task JOIN maintenance_judged AS judged USING (robot_id)
WHERE task.robot_id = $1
ORDER BY array_position(ARRAY['overdue', 'due', 'unknown', 'ok'], task.state), task.used DESC NULLS LAST,
    task.task, length(task.component), task.component
