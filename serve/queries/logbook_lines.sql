-- All of a robot's logbook as it is kept, and what stands behind its commitments as far as who asks may see that.
-- $1: its code.
SELECT number, entry_id, kind, author, (extract(epoch FROM happened) * 1000000)::bigint AS happened_us,
    (extract(epoch FROM written) * 1000000)::bigint AS written_us,
    (extract(epoch FROM received) * 1000000)::bigint AS received_us, runtime_s, record,
    coalesce((
        SELECT array_agg(salt || value ORDER BY commitment) FROM logbook_opened
        WHERE logbook_opened.robot_id = logbook_entry.robot_id AND logbook_opened.number = logbook_entry.number
    ), '{}') AS opened
FROM logbook_entry WHERE robot_id = $1 ORDER BY number
