-- By the record that was landed last a topic that was made anew is told from the one that was landed.

ALTER TABLE landed ADD COLUMN last_received timestamptz;
COMMENT ON COLUMN landed.last_received IS
    'the broker''s time stamp of the record before next_offset; null: not known, and nothing is compared';
