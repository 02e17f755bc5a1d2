-- Who is believed to be which robot: its keys, where seals are required, and who claimed to be somebody else.

CREATE TABLE robot_credential (
    robot_id    text COLLATE "C" NOT NULL,
    key_version integer          NOT NULL CHECK (key_version BETWEEN 1 AND 65535),
    created     timestamptz      NOT NULL DEFAULT now(),
    created_by  text             NOT NULL,
    ends        timestamptz,
    revoked     boolean          NOT NULL DEFAULT false,
    ended_by    text             NOT NULL DEFAULT '',
    kafka_user  text             NOT NULL DEFAULT '',
    used        timestamptz,
    change      bigint           NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (robot_id, key_version)
);
COMMENT ON TABLE robot_credential IS
    'the keys that robots were given. No secret is in it: a key follows from the master key, which is in no database';
COMMENT ON COLUMN robot_credential.ends IS
    'records that the broker had from then on are refused under this key; NULL: it is in force';
COMMENT ON COLUMN robot_credential.revoked IS 'ended by revoke; false where another key has taken its place';
COMMENT ON COLUMN robot_credential.kafka_user IS 'with whose password the robot connects; empty: Kafka knows no users';
COMMENT ON COLUMN robot_credential.used IS 'when a lander saw it last after another key, or for the first time';
COMMENT ON COLUMN robot_credential.change IS
    'grows with each change of a key''s end, in the order of commits, so that readers ask for what is new';
CREATE INDEX robot_credential_change ON robot_credential (change) WHERE ends IS NOT NULL;

CREATE TABLE seal_policy (
    maker  text COLLATE "C" NOT NULL CHECK (maker ~ '^([0-9A-Z]{4}|\*)$'),
    since  timestamptz      NOT NULL,
    policy text             NOT NULL CHECK (policy IN ('off', 'warn', 'require')),
    set_by text             NOT NULL,
    PRIMARY KEY (maker, since)
);
COMMENT ON TABLE seal_policy IS
    'whether frames of a maker (characters 3 to 6 of the code; * all others) must be sealed. The latest counts; what was '
    'in force before stays, since each record is judged by what held when the broker had it';

CREATE TABLE security_event (
    day          date             NOT NULL,
    robot_id     text COLLATE "C" NOT NULL,
    reason       text             NOT NULL,
    refused      boolean          NOT NULL,
    partition    integer          NOT NULL,
    records      bigint           NOT NULL,
    first        timestamptz      NOT NULL,
    last         timestamptz      NOT NULL,
    first_offset bigint           NOT NULL,
    last_offset  bigint           NOT NULL,
    detail       text             NOT NULL,
    PRIMARY KEY (day, robot_id, reason, refused, partition)
);
COMMENT ON TABLE security_event IS
    'frames whose seal was missing, wrong, old or replayed: a row for all of a day of one robot''s code, so that no flood '
    'fills it';
COMMENT ON COLUMN security_event.robot_id IS
    'who the sender claimed to be; unknown: a code of no robot that ever landed a frame or was given a key';
COMMENT ON COLUMN security_event.refused IS 'false: the policy was warn, and the frames landed';
COMMENT ON COLUMN security_event.first IS 'when the broker had the first of them';
CALL show_by_robot('security_event');

-- The record is sent again with it, or it could not be verified.
ALTER TABLE reject ADD COLUMN seal bytea;
COMMENT ON COLUMN reject.seal IS 'the value of the record''s header rv-seal, where it had one';
