-- What the repairer (processors/repair.py) keeps for itself.

CREATE TABLE repair_again (
    robot_id  text COLLATE "C" NOT NULL,
    start     timestamptz      NOT NULL,
    length_us bigint           NOT NULL,
    partition integer          NOT NULL,
    PRIMARY KEY (robot_id, start, length_us)
);
COMMENT ON TABLE repair_again IS
    'windows that were repaired while they were open: to be repaired once more when all that they counted has landed';
