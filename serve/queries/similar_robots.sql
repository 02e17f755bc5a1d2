-- Codes that hold a piece of text, for a mistyped one. $1: the text. $2: how many.
SELECT robot_id FROM robot WHERE position($1 IN robot_id) > 0 ORDER BY robot_id LIMIT $2
