-- One figure of a robot's windows by equal stretches of time. {figure}: an aggregate that serve/figures.py makes.
-- $1: its code. $2 and $3: from when until when. $4: how long a stretch is.
SELECT time_bucket($4::interval, start) AS time, ({figure})::float8 AS value, sum(frames) AS frames
FROM vitals
WHERE robot_id = $1 AND start >= $2 AND start < $3
GROUP BY 1
ORDER BY 1
