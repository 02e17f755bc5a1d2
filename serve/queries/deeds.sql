-- What came of an action: a row a transition. $1: the robot's code. $2: who acted. $3: when, by the actor's clock.
SELECT episode_id, transition, state, component, text
FROM anomaly
WHERE robot_id = $1 AND actor = $2 AND acted = $3
ORDER BY episode_id, number
