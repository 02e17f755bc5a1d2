-- $1 to $10: a column each. $11: the time.
INSERT INTO told (receiver, episode_id, phase, number, route, held, hold_until, returned, parent, asked, changed)
SELECT receiver, episode_id, phase, number, route, held, to_timestamp(0) + hold_us * interval '1 us', returned, parent,
    to_timestamp(0) + asked_us * interval '1 us', $11
FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::bigint[], $8::boolean[],
            $9::text[], $10::bigint[])
    AS new (receiver, episode_id, phase, number, route, held, hold_us, returned, parent, asked_us)
ON CONFLICT (receiver, episode_id) DO UPDATE SET
    phase = excluded.phase, number = excluded.number, route = excluded.route, held = excluded.held,
    hold_until = excluded.hold_until, returned = excluded.returned, parent = excluded.parent,
    asked = excluded.asked, changed = excluded.changed
