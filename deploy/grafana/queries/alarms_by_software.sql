-- Which models and software have the alarms of this range: a share of robots tells a release from an unlucky robot.
SELECT
    robot.enterprise || robot.model AS model, episode.software, count(DISTINCT episode.robot_id) AS robots,
    count(*) AS alarms, mode() WITHIN GROUP (ORDER BY episode.rule || ' ' || episode.signal) AS "most often"
FROM episode JOIN robot USING (robot_id)
WHERE $__timeFilter(opened) AND robot.enterprise || robot.model IN (${model:sqlstring})
GROUP BY 1, 2
ORDER BY robots DESC
LIMIT 50
