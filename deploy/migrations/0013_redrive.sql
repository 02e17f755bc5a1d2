-- Rejects are listed by when they came, and driven again after a fix.

ALTER TABLE reject ADD COLUMN redriven timestamptz, ADD COLUMN redriven_by text NOT NULL DEFAULT '';
COMMENT ON COLUMN reject.redriven IS 'when somebody last sent its bytes again; what came of that is a row or a new reject';
CREATE INDEX reject_by_time ON reject (received, topic, partition, record_offset);
