-- The outbox of `robovitals notify`: what receivers are to be told, what came of it, and how far the topic was read.

CREATE TABLE notified (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    caught_up   timestamptz,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE notified IS
    'the next offset to take into the outbox: moves with its rows, and fences a notifier that has lost its partition';
COMMENT ON COLUMN notified.caught_up IS 'when nothing more was there to be read: what is held back goes out after that';

CREATE TABLE receiver (
    name         text PRIMARY KEY,
    kind         text    NOT NULL,
    configured   boolean NOT NULL,
    disabled     timestamptz,
    reason       text    NOT NULL DEFAULT '',
    paused_until timestamptz,
    last_success timestamptz
);
COMMENT ON TABLE receiver IS 'who is told: the file has all else, and secrets are in it alone';
COMMENT ON COLUMN receiver.configured IS 'whether the file that the notifier read last has it';
COMMENT ON COLUMN receiver.disabled IS 'since when nothing is sent to it: it said that it is gone (410), reason says what';
COMMENT ON COLUMN receiver.paused_until IS 'it asked us to wait (Retry-After)';

CREATE TABLE told (
    receiver   text        NOT NULL,
    episode_id text        NOT NULL,
    phase      text        NOT NULL,
    number     integer     NOT NULL,
    route      text        NOT NULL,
    held       text        NOT NULL,
    hold_until timestamptz,
    returned   boolean     NOT NULL,
    parent     text        NOT NULL,
    asked      timestamptz,
    changed    timestamptz NOT NULL,
    PRIMARY KEY (receiver, episode_id)
);
COMMENT ON TABLE told IS 'what a receiver knows of an episode, up to transition number';
COMMENT ON COLUMN told.phase IS 'unaware; held: its opening waits in delivery held; open; closed: its end was told';
COMMENT ON COLUMN told.returned IS 'of what is held: whether the receiver has known the episode before';
COMMENT ON COLUMN told.asked IS 'until then the grouping is believed that parent has adopted it';
CREATE INDEX told_episode ON told (episode_id);

CREATE TABLE delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id text             NOT NULL UNIQUE,
    message_id  text             NOT NULL DEFAULT '',
    receiver    text             NOT NULL,
    route       text             NOT NULL,
    bundle      text             NOT NULL,
    event_id    text             NOT NULL,
    episode_id  text             NOT NULL,
    robot_id    text COLLATE "C" NOT NULL,
    transition  text             NOT NULL,
    status      text             NOT NULL,
    event       bytea            NOT NULL,
    test        boolean          NOT NULL DEFAULT false,
    partition   integer,
    created     timestamptz      NOT NULL,
    ready       timestamptz      NOT NULL,
    due         timestamptz      NOT NULL,
    state       text             NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'dropped', 'failed')),
    attempts    integer          NOT NULL DEFAULT 0,
    finished    timestamptz,
    detail      text             NOT NULL DEFAULT ''
);
COMMENT ON TABLE delivery IS 'one event for one receiver';
COMMENT ON COLUMN delivery.delivery_id IS 'follows from event and receiver: the webhook-id where it goes alone';
COMMENT ON COLUMN delivery.message_id IS 'the message that it went in: several have one where they were told together';
COMMENT ON COLUMN delivery.bundle IS 'what is told together; empty: alone';
COMMENT ON COLUMN delivery.partition IS 'where its hold may still be broken off by what comes; null: it has none';
COMMENT ON COLUMN delivery.ready IS 'not told before; due: when it is told at the latest, or tried again';
COMMENT ON COLUMN delivery.detail IS 'why it was dropped, or given up';
CREATE INDEX delivery_due ON delivery (receiver, due) WHERE state = 'pending';
CREATE INDEX delivery_unfinished ON delivery (receiver, episode_id, id) WHERE state IN ('pending', 'sending');
CREATE INDEX delivery_of_episode ON delivery (episode_id, receiver, id);
CREATE INDEX delivery_of_robot ON delivery (robot_id, id);
CREATE INDEX delivery_finished ON delivery (finished);
CREATE INDEX delivery_of_message ON delivery (message_id) WHERE state IN ('pending', 'sending');

CREATE TABLE delivery_attempt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery    bigint      NOT NULL REFERENCES delivery ON DELETE CASCADE,
    message_id  text        NOT NULL,
    time        timestamptz NOT NULL,
    duration_ms integer,
    code        integer,
    answer      text        NOT NULL DEFAULT '',
    error       text        NOT NULL DEFAULT ''
);
COMMENT ON TABLE delivery_attempt IS 'one try; without a duration the notifier was ended in the middle of it';
COMMENT ON COLUMN delivery_attempt.answer IS 'its first bytes';
CREATE INDEX delivery_attempt_of ON delivery_attempt (delivery, id);
CREATE INDEX delivery_held ON delivery (partition, ready) WHERE state = 'pending' AND partition IS NOT NULL;
