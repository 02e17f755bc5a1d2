-- Checkpoints in their order. $1: after this one.
SELECT line FROM logbook_checkpoint WHERE size > $1 ORDER BY size
