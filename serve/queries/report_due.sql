-- Tasks of robot $1 that go on, those that press first.
SELECT task, text, component, state, done, overdue_since, date_us, runtime_s, cycles, wear
FROM maintenance_task WHERE robot_id = $1 AND NOT closed
ORDER BY array_position(ARRAY['overdue', 'due', 'unknown', 'ok'], state), used DESC NULLS LAST, task, component
