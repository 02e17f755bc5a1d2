-- The newest checkpoint, as it was published. No row: there is none yet.
SELECT line FROM logbook_checkpoint ORDER BY size DESC LIMIT 1
