-- Health and anomalies, as the assessor published them.

CREATE TABLE health (
    robot_id      text COLLATE "C" PRIMARY KEY,
    time          timestamptz NOT NULL,
    last_seen     timestamptz NOT NULL,
    received      timestamptz NOT NULL,
    status        text        NOT NULL,
    zone          text        NOT NULL,
    mode          text        NOT NULL,
    software      text        NOT NULL,
    scenario      text        NOT NULL,
    open_episodes integer     NOT NULL,
    components    jsonb       NOT NULL
);
COMMENT ON TABLE health IS 'the latest health of each robot; components worst first, with their evidence';
COMMENT ON COLUMN health.time IS 'event time of the judgement';
COMMENT ON COLUMN health.last_seen IS 'event time of the robot''s last frame; received is when the broker had it';

CREATE TABLE health_history (
    robot_id   text COLLATE "C" NOT NULL,
    time       timestamptz      NOT NULL,
    status     text             NOT NULL,
    zone       text             NOT NULL,
    components jsonb            NOT NULL
);
COMMENT ON TABLE health_history IS 'every judgement of each robot';
SELECT create_hypertable('health_history', by_range('time', INTERVAL '7 days'), create_default_indexes => false);
CREATE UNIQUE INDEX health_history_key ON health_history (robot_id, time);

CREATE TABLE anomaly (
    episode_id   text             NOT NULL,
    number       integer          NOT NULL,
    robot_id     text COLLATE "C" NOT NULL,
    episode      integer          NOT NULL,
    transition   text             NOT NULL,
    rule         text             NOT NULL,
    rule_version integer          NOT NULL,
    component    text             NOT NULL,
    signal       text             NOT NULL,
    status       text             NOT NULL,
    value        double precision,
    unit         text             NOT NULL,
    limit_value  double precision,
    first_time   timestamptz      NOT NULL,
    last_time    timestamptz      NOT NULL,
    count        bigint           NOT NULL,
    live         boolean          NOT NULL,
    software     text             NOT NULL,
    scenario     text             NOT NULL,
    text         text             NOT NULL,
    PRIMARY KEY (episode_id, number)
);
COMMENT ON TABLE anomaly IS 'one row a transition of an episode, numbered from 1';
CREATE INDEX anomaly_of_robot ON anomaly (robot_id, episode_id, number DESC);
CREATE INDEX anomaly_by_time ON anomaly (last_time);
