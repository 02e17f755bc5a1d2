-- What the logbooks say of each robot as it is now. Projections: `ingest/passport_rows.py` makes the rows anew of a
-- robot's entries, in the transaction that appends one; nothing else writes here, and nothing is here alone.

CREATE TABLE passport (
    robot_id     text COLLATE "C" PRIMARY KEY,
    maker        text        NOT NULL,
    model        text        NOT NULL,
    level        text        NOT NULL,
    joints       integer     NOT NULL,
    made         timestamptz NOT NULL,
    registered   timestamptz NOT NULL,
    status       text        NOT NULL CHECK (status IN ('active', 'recalled', 'scrapped')),
    status_since timestamptz NOT NULL
);
COMMENT ON TABLE passport IS 'every registered robot, as its logbook says it is now';
COMMENT ON COLUMN passport.level IS 'intelligence level, L1 to L5 (T/CIE 298-2025); empty where not known';
COMMENT ON COLUMN passport.status IS 'recalled: a campaign is open; scrapped is final';
-- A recall is by model; almost all robots are active.
CREATE INDEX passport_by_model ON passport (model, robot_id);
CREATE INDEX passport_by_status ON passport (status, robot_id) WHERE status <> 'active';

CREATE TABLE installed_part (
    robot_id  text COLLATE "C" NOT NULL,
    component text        NOT NULL,
    serial    text        NOT NULL,
    part      text        NOT NULL,
    installed timestamptz NOT NULL,
    PRIMARY KEY (robot_id, component)
);
COMMENT ON TABLE installed_part IS 'the parts that are in a robot now, as its logbook says';
CREATE INDEX installed_part_by_serial ON installed_part (serial);

CALL show_by_robot('passport');
CALL show_by_robot('installed_part');
