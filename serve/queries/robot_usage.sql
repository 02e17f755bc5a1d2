-- A robot's hours as schemas/usage.py wants them, each column as one array: rows would cost ten years of hours a
-- second. $1: its code. $2: from when. {load}: an hour's load, written in serve/care.py.
SELECT array_agg(start_us) AS start_us, array_agg(runtime_s) AS runtime_s, array_agg(scenario) AS scenario,
    array_agg(load) AS load
FROM (
    SELECT date_part('epoch', start)::bigint * 1000000 AS start_us, coalesce(runtime_s, -1) AS runtime_s, scenario,
        coalesce({load}, 'NaN')::double precision AS load
    FROM vitals_hourly WHERE robot_id = $1 AND start >= $2 ORDER BY start
) AS hour
