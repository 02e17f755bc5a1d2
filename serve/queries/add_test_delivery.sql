-- A delivery that tells of nothing. $1: its delivery_id. $2: receiver. $3: event. $4: episode. $5: robot.
-- $6: transition. $7: status. $8: the event's bytes. $9: due in so many seconds.
INSERT INTO delivery (delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, transition, status, event,
                      test, created, ready, due, state)
VALUES ($1, $2, '', '', $3, $4, $5, $6, $7, $8, true, now(), now() + $9 * interval '1 s', now() + $9 * interval '1 s',
        'pending')
RETURNING id
