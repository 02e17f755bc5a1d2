-- $1 to $16: a column each. $17: the time.
INSERT INTO delivery (delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, transition, status, event,
                      partition, ready, due, state, detail, test, created, finished)
SELECT delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, transition, status, event, partition,
    to_timestamp(0) + ready_us * interval '1 us', to_timestamp(0) + due_us * interval '1 us', state, detail, test,
    $17::timestamptz, CASE WHEN state = 'dropped' THEN $17::timestamptz END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::bytea[], $11::integer[], $12::bigint[], $13::bigint[], $14::text[], $15::text[],
            $16::boolean[])
    WITH ORDINALITY AS new (delivery_id, receiver, route, bundle, event_id, episode_id, robot_id, transition, status,
                            event, partition, ready_us, due_us, state, detail, test, position)
ORDER BY position
ON CONFLICT DO NOTHING
