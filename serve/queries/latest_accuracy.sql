-- A robot's newest window with a figure of its accuracy, which is measured now and then. $1: its code. $2: from when.
SELECT * FROM vitals
WHERE robot_id = $1 AND start >= $2
  AND coalesce(pose_accuracy_mm_last, pose_repeatability_mm_last, path_accuracy_mm_last, path_repeatability_mm_last,
        position_overshoot_mm_last) IS NOT NULL
ORDER BY start DESC
LIMIT 1
