-- How many episodes each part of the operators' list has. {condition}: which episodes (serve/alarm_list.py).
SELECT CASE WHEN parent <> '' THEN 'spoken_for' ELSE state END AS part, count(*) AS episodes
FROM episode
WHERE state <> 'normal' AND {condition}
GROUP BY 1
