-- What does not fit about a robot: what stands first, then the newest. $1: its code. $2: how many.
SELECT finding_id, robot_id, rule, component, confidence, first, last, found, closed, closed_because,
    evidence_for::text AS evidence_for, evidence_against::text AS evidence_against, text
FROM finding WHERE robot_id = $1
ORDER BY closed IS NOT NULL, confidence, first DESC, finding_id LIMIT $2
