-- Frames that claimed to be a robot's and were not sealed as they should, on the days of a stretch. As above.
SELECT * FROM security_event WHERE robot_id = $1 AND day BETWEEN ($2::timestamptz)::date AND ($3::timestamptz)::date
ORDER BY day, reason, partition
