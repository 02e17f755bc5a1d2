-- Each component with why it has its status, worst first as the assessor ordered them.
SELECT
    part ->> 'component' AS component, part ->> 'status' AS status, part ->> 'zone' AS zone,
    part -> 'evidence' -> 0 ->> 'text' AS why, part -> 'remaining_life' ->> 'text' AS "remaining life"
FROM health CROSS JOIN LATERAL jsonb_array_elements(components) WITH ORDINALITY AS listed (part, place)
WHERE robot_id = ${robot:sqlstring}
ORDER BY place
