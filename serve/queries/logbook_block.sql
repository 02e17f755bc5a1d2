-- The newest checkpoint, the roots of its tree's blocks, and the leaves of one block. $1: its first byte, from 1.
-- $2: how many bytes it has.
SELECT line, blocks, substring(leaves FROM $1 FOR $2) AS block
FROM logbook_tree JOIN logbook_checkpoint USING (size)
