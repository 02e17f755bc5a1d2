-- Windows that miss frames and wait for their repair, by why.
SELECT reason, count(*) AS windows, min(start) AS oldest FROM late_window GROUP BY 1 ORDER BY 2 DESC
