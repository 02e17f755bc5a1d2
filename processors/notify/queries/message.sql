-- What was in a message that is tried again. $1: message.
SELECT id FROM delivery WHERE message_id = $1 AND state = 'pending' ORDER BY id
