-- Windows that miss frames and wait for their repair, by why. $1: how the codes of the robots begin; null: all.
SELECT reason, count(*) AS windows, min(start) AS oldest
FROM late_window
WHERE $1::text[] IS NULL OR robot_id ^@ ANY ($1)
GROUP BY 1
ORDER BY 2 DESC
