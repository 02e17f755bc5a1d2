-- Of robot $1 the hours in stretches of $2: of each counter and signal the lowest and the highest. {joints}: two arrays
-- for each signal of joints, made by serve/report/reading.py.
SELECT
    (extract(epoch FROM time_bucket($2::interval, start)) * 1000000)::bigint AS start_us,
    ARRAY[min(runtime_s), max(runtime_s), min(energy_wh), max(energy_wh), min(cycles), max(cycles)]::float8[] AS counters,
    ARRAY[min(pose_accuracy_mm_mean), max(pose_accuracy_mm_mean),
          min(pose_repeatability_mm_mean), max(pose_repeatability_mm_mean),
          min(battery_soh_min), max(battery_soh_last)]::float8[] AS scalars{joints}
FROM vitals_hourly WHERE robot_id = $1
GROUP BY 1 ORDER BY 1
