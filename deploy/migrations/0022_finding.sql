-- Findings: where a robot's telemetry, parts and logbook do not fit together. Kept up to date by `robovitals audit`.

ALTER TABLE vitals_hourly
    ADD COLUMN active_s real;
COMMENT ON COLUMN vitals_hourly.active_s IS
    'of seen_s, the time of windows that ended working or teleoperated; NULL: rolled up before this was kept';
CALL show_by_robot('vitals_hourly');

CREATE TABLE finding (
    finding_id       text             PRIMARY KEY,
    robot_id         text COLLATE "C" NOT NULL,
    rule             text             NOT NULL,
    component        text             NOT NULL,
    confidence       text             NOT NULL CHECK (confidence IN ('established', 'suspected')),
    first            timestamptz      NOT NULL,
    last             timestamptz      NOT NULL,
    found            timestamptz      NOT NULL,
    closed           timestamptz,
    closed_because   text             NOT NULL DEFAULT '',
    evidence_for     jsonb            NOT NULL,
    evidence_against jsonb            NOT NULL,
    text             text             NOT NULL
);
COMMENT ON TABLE finding IS 'what does not fit (docs/findings.md); the words accuse nobody';
COMMENT ON COLUMN finding.first IS 'it happened between first and last';
COMMENT ON COLUMN finding.closed IS 'since when it does not hold any more: an entry or telemetry came late, or it was seen to';
CREATE INDEX finding_of_robot ON finding (robot_id, first);
CALL show_by_robot('finding');

CREATE TABLE audit_state (
    robot_id  text COLLATE "C" PRIMARY KEY,
    until     timestamptz NOT NULL,
    audited   timestamptz NOT NULL,
    whole     timestamptz NOT NULL,
    entries   integer     NOT NULL,
    sightings integer     NOT NULL,
    context   bytea       NOT NULL
);
COMMENT ON TABLE audit_state IS 'how far each robot''s life has been audited, and what of it the next hours are held against';
COMMENT ON COLUMN audit_state.until IS 'hours before it were there when it was audited';
COMMENT ON COLUMN audit_state.whole IS 'when all of its life was looked at last';
COMMENT ON COLUMN audit_state.context IS 'its last weeks, packed (processors/audit/context.py)';
ALTER TABLE audit_state ALTER context SET STORAGE EXTERNAL;

-- No unique key: the roll-up only appends.
CREATE TABLE audit_late (
    robot_id text COLLATE "C" NOT NULL,
    start    timestamptz      NOT NULL
);
COMMENT ON TABLE audit_late IS 'hours that were rolled up again when they may have been audited already';
