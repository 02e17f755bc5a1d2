-- Episodes that are over for a receiver. $1: changed before.
DELETE FROM told WHERE changed < $1 AND phase IN ('unaware', 'closed')
