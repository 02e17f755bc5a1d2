-- What filters offer: how many robots have each model, maker, software and scenario. {condition}: which robots.
SELECT
    CASE GROUPING(model, maker, software, scenario)
        WHEN 7 THEN 'models' WHEN 11 THEN 'makers' WHEN 13 THEN 'software' ELSE 'scenarios'
    END AS facet,
    coalesce(model, maker, software, scenario) AS value, count(*) AS robots
FROM (
    SELECT left(robot_id, 12) AS model, left(robot_id, 6) AS maker, software, scenario
    FROM fleet_robot WHERE {condition}
) AS robot
GROUP BY GROUPING SETS (model, maker, software, scenario)
ORDER BY robots DESC, value
