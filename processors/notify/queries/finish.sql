-- $1: ids. $2: the state that they have now. $3: when they are due again. $4: when they were finished. $5: why.
UPDATE delivery SET state = $2, due = coalesce($3, due), finished = $4, detail = $5
WHERE id = ANY($1::bigint[]) AND state = 'sending'
