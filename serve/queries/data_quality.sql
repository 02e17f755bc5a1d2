-- What a robot's windows of a stretch of time say of its data. $1: its code. $2: from when. $3: until when.
SELECT
    coalesce(sum(frames), 0)::bigint AS frames, coalesce(sum(missing), 0)::bigint AS missing,
    coalesce(sum(backfill_frames), 0)::bigint AS backfill_frames, count(DISTINCT boot_id) AS boots,
    (SELECT count(*) FROM impossible_reading WHERE robot_id = $1 AND time >= $2 AND time < $3) AS impossible
FROM vitals
WHERE robot_id = $1 AND start >= $2 AND start < $3
