-- What was being sent when the notifier ended: it may have arrived, and goes out again. $1: receiver. $2: the time.
UPDATE delivery SET state = 'pending', due = least(due, $2) WHERE receiver = $1 AND state = 'sending'
