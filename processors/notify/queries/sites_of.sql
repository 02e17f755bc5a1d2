-- Where robots are, as far as somebody has said. $1: their codes.
SELECT robot_id, site FROM robot_site WHERE robot_id = ANY ($1::text[])
