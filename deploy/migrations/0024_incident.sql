-- Incidents: what is frozen around one, which no retention touches, and what it points to.

CREATE TABLE incident (
    incident_id text COLLATE "C" PRIMARY KEY,
    robot_id    text COLLATE "C" NOT NULL,
    at          timestamptz      NOT NULL,
    opened      timestamptz      NOT NULL DEFAULT clock_timestamp(),
    opened_by   text             NOT NULL,
    text        text             NOT NULL DEFAULT '',
    completed   timestamptz,
    verdict     text             NOT NULL DEFAULT '',
    part        text             NOT NULL DEFAULT '',
    evidence    jsonb,
    told        timestamptz
);
COMMENT ON TABLE incident IS 'one row an incident; frames and records of it are in incident_frame and incident_record';
COMMENT ON COLUMN incident.at IS 'event time; frozen is from 30 s before until 10 s after';
COMMENT ON COLUMN incident.opened_by IS 'who asked for it; fault: a frame in mode fault';
COMMENT ON COLUMN incident.completed IS 'when its window was whole, or nothing more came; NULL: it is awaited';
COMMENT ON COLUMN incident.verdict IS
    'what is indicated, by what was frozen when it was completed; what came later changes nothing of it';
COMMENT ON COLUMN incident.evidence IS 'the assessment: processors/incident/verdict.py';
COMMENT ON COLUMN incident.told IS 'when the topic took its entry for the logbook; NULL: not yet';
CREATE INDEX incident_of_robot ON incident (robot_id, at);
CREATE INDEX incident_awaited ON incident (at) WHERE completed IS NULL;
CREATE INDEX incident_untold ON incident (completed) WHERE told IS NULL;
CREATE INDEX incident_by_time ON incident (at);

-- The columns of frame in their order: a column that frame gets, this table gets in the same migration.
CREATE TABLE incident_frame (
    incident_id text COLLATE "C" NOT NULL REFERENCES incident,
    frozen      timestamptz      NOT NULL,
    appended    boolean          NOT NULL,
    LIKE frame,
    PRIMARY KEY (incident_id, time, seq, boot_id)
);
COMMENT ON TABLE incident_frame IS 'frames of an incident''s window as they were in frame, which retention drops';
COMMENT ON COLUMN incident_frame.appended IS 'it came after the incident was completed, and is no part of the verdict';

CREATE TABLE incident_record (
    incident_id text COLLATE "C" NOT NULL REFERENCES incident,
    record_id   text COLLATE "C" NOT NULL,
    robot_id    text COLLATE "C" NOT NULL,
    kind        text             NOT NULL,
    time        timestamptz,
    frozen      timestamptz      NOT NULL,
    appended    boolean          NOT NULL,
    record      jsonb            NOT NULL,
    PRIMARY KEY (incident_id, record_id)
);
COMMENT ON TABLE incident_record IS
    'what else was frozen: episodes and their transitions, actions, health, logbook entries, tasks, hours, the fleet';
COMMENT ON COLUMN incident_record.record_id IS
    'what evidence cites: transition/EPISODE/NUMBER, logbook/NUMBER, task/NAME/COMPONENT …';

CREATE TABLE incident_fault (
    episode_id  text COLLATE "C" PRIMARY KEY,
    robot_id    text COLLATE "C" NOT NULL,
    at          timestamptz      NOT NULL,
    seen        timestamptz      NOT NULL DEFAULT clock_timestamp(),
    incident_id text COLLATE "C" REFERENCES incident,
    because     text             NOT NULL
);
COMMENT ON TABLE incident_fault IS 'each fault of a robot''s own, once: the incident that it opened, or why it opened none';
CREATE INDEX incident_fault_of_robot ON incident_fault (robot_id, at);
CREATE INDEX incident_fault_seen ON incident_fault (seen) WHERE incident_id IS NOT NULL;

CALL show_by_robot('incident');
CALL show_by_robot('incident_fault');
CALL show_by_robot('incident_frame');
CALL show_by_robot('incident_record');

-- Openings of faults are rare, so the index that finds new ones costs landing nothing.
CREATE INDEX anomaly_of_fault ON anomaly (last_time) WHERE rule = 'mode' AND transition = 'opened';
