-- Episodes that speak for many robots.
SELECT opened, cleared, state, text, value AS robots, episode_id
FROM episode
WHERE about = 'fleet' AND (state <> 'normal' OR $__timeFilter(opened))
ORDER BY opened DESC
LIMIT 100
