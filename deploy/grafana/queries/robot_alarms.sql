-- Its episodes that are not over, or began in this range.
SELECT opened, cleared, component, rule, status, state, text, value, limit_value AS "limit", unit, count AS signs, actor, note
FROM episode
WHERE robot_id = ${robot:sqlstring} AND (state <> 'normal' OR $__timeFilter(opened))
ORDER BY opened DESC
LIMIT 200
