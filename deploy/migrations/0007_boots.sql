-- Two boots of a robot with a dead clock may claim the same moments and count from nought both: their frames are
-- not the same frames.

CREATE UNIQUE INDEX frame_boot_key ON frame (robot_id, time, seq, boot_id);
DROP INDEX frame_key;
ALTER INDEX frame_boot_key RENAME TO frame_key;

ALTER TABLE impossible_reading ADD COLUMN boot_id bigint;
UPDATE impossible_reading SET boot_id = frame.boot_id FROM frame
WHERE frame.robot_id = impossible_reading.robot_id AND frame.time = impossible_reading.time
  AND frame.seq = impossible_reading.seq;
ALTER TABLE impossible_reading ALTER COLUMN boot_id SET NOT NULL;
ALTER TABLE impossible_reading DROP CONSTRAINT impossible_reading_pkey;
ALTER TABLE impossible_reading ADD PRIMARY KEY (robot_id, time, seq, boot_id, signal, joint);
