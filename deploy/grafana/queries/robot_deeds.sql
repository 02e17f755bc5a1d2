-- What people did about it.
SELECT time, kind, component, actor, note, shelved_until
FROM action
WHERE robot_id = ${robot:sqlstring} AND $__timeFilter(time)
ORDER BY time DESC
LIMIT 100
