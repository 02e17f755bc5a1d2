-- Every robot that was judged, as the live stream begins with it.
SELECT robot_id, (extract(epoch FROM time) * 1000000)::bigint AS time_us, status, zone FROM health
