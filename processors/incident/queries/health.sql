-- The last judgements by two moments: that of the day before, and that of the moment. $1: the robot. $2: the moment.
(SELECT 'before' AS which, * FROM health_history
 WHERE robot_id = $1 AND time <= $2::timestamptz - interval '1 day' AND time > $2::timestamptz - interval '31 days'
 ORDER BY time DESC LIMIT 1)
UNION ALL
(SELECT 'at' AS which, * FROM health_history
 WHERE robot_id = $1 AND time <= $2 AND time > $2::timestamptz - interval '31 days'
 ORDER BY time DESC LIMIT 1)
