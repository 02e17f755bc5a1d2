-- Findings about robot $1.
SELECT finding_id, rule, component, confidence, first, last, text, evidence_for, evidence_against, closed, closed_because
FROM finding WHERE robot_id = $1 ORDER BY first, finding_id
