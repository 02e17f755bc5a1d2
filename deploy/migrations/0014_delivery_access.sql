-- Who was told of a robot is seen by who may see the robot: attempts too, and receivers as far as a person counts theirs.

ALTER TABLE delivery_attempt ENABLE ROW LEVEL SECURITY;
-- The subquery is under the policy of delivery. It is scalar, not EXISTS, so that it is always asked by key: as a set
-- it could be taken as all that the person may see, which is most of the log.
CREATE POLICY visible ON delivery_attempt FOR SELECT TO robovitals_reader
    USING ((SELECT delivery.id FROM delivery WHERE delivery.id = delivery_attempt.delivery) IS NOT NULL);
GRANT SELECT ON delivery_attempt TO robovitals_reader;

-- No robot and no secret is in it.
GRANT SELECT ON receiver TO robovitals_reader;
