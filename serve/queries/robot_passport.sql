-- What a robot's logbook says of it now. $1: its code.
SELECT maker, model, level, joints, made, registered, status, status_since, entries
FROM passport JOIN logbook_head USING (robot_id) WHERE robot_id = $1
