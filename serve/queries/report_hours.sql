-- Hours of robot $1, each with the one before it: sums over all, and as an array those pairs between which something
-- changed: a gap of $2 or more, a counter that fell, other software. Of those at most $3, the first.
WITH pair AS MATERIALIZED (
    SELECT start, last_time, seen_s, frames, missing, runtime_s, energy_wh, cycles, software,
        lag(last_time) OVER life AS before, lag(runtime_s) OVER life AS runtime_before,
        lag(energy_wh) OVER life AS energy_before, lag(cycles) OVER life AS cycles_before,
        lag(software) OVER life AS software_before
    FROM vitals_hourly WHERE robot_id = $1 WINDOW life AS (ORDER BY start)
), changed AS (
    SELECT * FROM pair
    WHERE before IS NULL OR start - before >= $2::interval OR runtime_s < runtime_before OR energy_wh < energy_before
        OR cycles < cycles_before OR software <> software_before
    ORDER BY start LIMIT $3
)
SELECT
    min(start) AS first, max(last_time) AS last, count(DISTINCT (start AT TIME ZONE 'UTC')::date) AS days,
    sum(frames)::bigint AS frames, sum(missing)::bigint AS missing,
    coalesce(sum(least(greatest(runtime_s - runtime_before, 0), seen_s)), 0)::bigint AS logged_s,
    coalesce(sum(greatest(runtime_s - runtime_before, 0)), 0)::bigint AS runtime_s,
    coalesce(sum(greatest(energy_wh - energy_before, 0)), 0)::bigint AS energy_wh,
    coalesce(sum(greatest(cycles - cycles_before, 0)), 0)::bigint AS cycles,
    (SELECT array_agg(ARRAY[
        (extract(epoch FROM start) * 1000000)::bigint, (extract(epoch FROM before) * 1000000)::bigint,
        runtime_s, runtime_before, energy_wh, energy_before, cycles, cycles_before
     ] ORDER BY start) FROM changed) AS changes,
    (SELECT array_agg(ARRAY[software, coalesce(software_before, '')] ORDER BY start) FROM changed) AS versions
FROM pair
