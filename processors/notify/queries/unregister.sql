-- $1: the receivers that the file has.
UPDATE receiver SET configured = false WHERE NOT name = ANY($1::text[]) AND configured
