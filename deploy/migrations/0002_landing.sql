-- What the lander keeps beside the rows, in the same transactions.

CREATE TABLE landed (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE landed IS
    'the next offset to land of each partition: moves with the rows, and fences a lander that has lost its partition';

CREATE TABLE reject (
    topic         text        NOT NULL,
    partition     integer     NOT NULL,
    record_offset bigint      NOT NULL,
    received      timestamptz NOT NULL,
    reason        text        NOT NULL,
    detail        text        NOT NULL,
    key           bytea,
    value         bytea       NOT NULL,
    PRIMARY KEY (topic, partition, record_offset)
);
COMMENT ON TABLE reject IS 'records that could not be used: where they were, why, and their original bytes';
