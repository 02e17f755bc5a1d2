-- What people did about a robot from a month before until a moment. $1: the robot. $2: the moment.
SELECT action.* FROM action
WHERE robot_id = $1 AND time > $2::timestamptz - interval '31 days' AND time <= $2
ORDER BY position
