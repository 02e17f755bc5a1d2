-- The frames of a window that are not frozen yet. $1: the incident. $2: its robot. $3 to $4: its window.
-- $5: whether they come after it was completed.
INSERT INTO incident_frame
SELECT $1, clock_timestamp(), $5, frame.* FROM frame
WHERE robot_id = $2 AND time >= $3 AND time <= $4
ON CONFLICT DO NOTHING
