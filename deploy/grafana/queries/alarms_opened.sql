-- Alarms that opened, by rule.
SELECT time_bucket($__interval_ms * interval '1 millisecond', last_time) AS time, rule AS metric, count(*) AS alarms
FROM anomaly
WHERE transition = 'opened' AND $__timeFilter(last_time)
GROUP BY 1, 2
ORDER BY 1
