-- When the life of robot $1 was audited last.
SELECT audited FROM audit_state WHERE robot_id = $1
