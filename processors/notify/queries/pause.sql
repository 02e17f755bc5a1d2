-- $1: receiver. $2: until when it wants to be left alone.
UPDATE receiver SET paused_until = $2 WHERE name = $1
