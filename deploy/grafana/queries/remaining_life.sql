-- What is estimated to reach its limit first. Estimates, with an interval that holds in 80 of 100 cases.
SELECT
    health.robot_id, part ->> 'component' AS component, part -> 'remaining_life' ->> 'signal' AS signal,
    (part -> 'remaining_life' ->> 'days')::double precision AS days,
    (part -> 'remaining_life' ->> 'low')::double precision AS "at least",
    (part -> 'remaining_life' ->> 'high')::double precision AS "at most"
FROM health
JOIN robot USING (robot_id)
CROSS JOIN LATERAL jsonb_array_elements(health.components) AS part
WHERE part -> 'remaining_life' ->> 'days' IS NOT NULL AND enterprise || model IN (${model:sqlstring})
ORDER BY days
LIMIT 50
