-- Robots that are registered as this model, but for those that are scrapped. $1: the model's name.
SELECT robot_id FROM passport WHERE model = $1 AND status <> 'scrapped'
