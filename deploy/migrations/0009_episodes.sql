-- States of episodes for operators (ISA-18.2), what people did about them, and what many robots have in common.

ALTER TABLE anomaly
    ADD COLUMN about         text             NOT NULL DEFAULT 'machine',
    ADD COLUMN baseline      double precision,
    ADD COLUMN confidence    double precision,
    ADD COLUMN state         text             NOT NULL DEFAULT 'unacknowledged_active',
    ADD COLUMN active        boolean          NOT NULL DEFAULT true,
    ADD COLUMN chattering    boolean          NOT NULL DEFAULT false,
    ADD COLUMN parent        text             NOT NULL DEFAULT '',
    ADD COLUMN cause         text             NOT NULL DEFAULT '',
    ADD COLUMN actor         text             NOT NULL DEFAULT '',
    ADD COLUMN note          text             NOT NULL DEFAULT '',
    ADD COLUMN acted         timestamptz,
    ADD COLUMN shelved_until timestamptz;
COMMENT ON COLUMN anomaly.about IS 'machine, data or fleet';
COMMENT ON COLUMN anomaly.active IS 'whether the condition holds; state is what an operator has to do about it';
COMMENT ON COLUMN anomaly.parent IS 'the episode that speaks for this one, empty without';
COMMENT ON COLUMN anomaly.cause IS 'rule|signal|side|model|software: what episodes of many robots may share';
COMMENT ON COLUMN anomaly.acted IS 'when a person (actor), or without one our clock, brought the transition about';

-- Nobody could acknowledge until now, so what has ended is over.
UPDATE anomaly SET about = 'data' WHERE rule IN ('clock', 'silence');
UPDATE anomaly SET active = false, state = 'normal' WHERE transition = 'cleared';

DROP VIEW episode;
CREATE TABLE episode (
    episode_id    text             PRIMARY KEY,
    robot_id      text COLLATE "C" NOT NULL,
    episode       integer          NOT NULL,
    rule          text             NOT NULL,
    rule_version  integer          NOT NULL,
    component     text             NOT NULL,
    signal        text             NOT NULL,
    about         text             NOT NULL,
    status        text             NOT NULL,
    state         text             NOT NULL,
    active        boolean          NOT NULL,
    chattering    boolean          NOT NULL,
    parent        text             NOT NULL,
    cause         text             NOT NULL,
    opened        timestamptz      NOT NULL,
    last_sign     timestamptz      NOT NULL,
    cleared       timestamptz,
    shelved_until timestamptz,
    transitions   integer          NOT NULL,
    count         bigint           NOT NULL,
    live          boolean          NOT NULL,
    value         double precision,
    baseline      double precision,
    confidence    double precision,
    unit          text             NOT NULL,
    limit_value   double precision,
    software      text             NOT NULL,
    scenario      text             NOT NULL,
    text          text             NOT NULL,
    actor         text             NOT NULL,
    note          text             NOT NULL,
    acted         timestamptz
);
COMMENT ON TABLE episode IS 'each episode as its latest transition left it; actor, note, acted: the last that a person did';
CREATE INDEX episode_of_robot ON episode (robot_id, opened);
CREATE INDEX episode_listed ON episode (robot_id) WHERE state <> 'normal';

INSERT INTO episode
SELECT DISTINCT ON (episode_id)
    episode_id, robot_id, episode, rule, rule_version, component, signal, about, status, state, active, chattering,
    parent, cause, first_time, last_time, CASE WHEN NOT active THEN last_time END, shelved_until, number, count,
    live, value, baseline, confidence, unit, limit_value, software, scenario, text, actor, note, acted
FROM anomaly
ORDER BY episode_id, number DESC;

CREATE TABLE action (
    position      bigint GENERATED ALWAYS AS IDENTITY,
    action_id     text             PRIMARY KEY,
    robot_id      text COLLATE "C" NOT NULL,
    kind          text             NOT NULL,
    episode_id    text             NOT NULL,
    component     text             NOT NULL,
    actor         text             NOT NULL,
    note          text             NOT NULL,
    time          timestamptz      NOT NULL,
    shelved_until timestamptz
);
COMMENT ON TABLE action IS
    'what people asked for, in the order of the log; what came of it is in anomaly, and without an episode only here';
CREATE INDEX action_of_robot ON action (robot_id, position);

CREATE VIEW out_of_service AS
SELECT robot_id, component, actor, note, time AS since
FROM (
    SELECT DISTINCT ON (robot_id, component) * FROM action
    WHERE kind IN ('out_of_service', 'in_service') AND episode_id = ''
    ORDER BY robot_id, component, position DESC
) AS last
WHERE kind = 'out_of_service'
  AND NOT EXISTS (
    SELECT FROM action AS ended
    WHERE ended.robot_id = last.robot_id AND ended.kind = 'in_service' AND ended.component = ''
      AND ended.episode_id = '' AND ended.position > last.position
  );
COMMENT ON VIEW out_of_service IS 'components that call nobody until somebody puts them in service; empty: all of it';
