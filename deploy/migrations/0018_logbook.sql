-- Robots' logbooks: what their authors signed, as the platform linked it; and the checkpoints that pin all of them.

CREATE TABLE logbook_head (
    robot_id       text COLLATE "C" PRIMARY KEY,
    entries        integer     NOT NULL,
    chain          text        NOT NULL,
    received       timestamptz NOT NULL,
    book           bytea       NOT NULL,
    pinned_entries integer,
    pinned_chain   text
);
COMMENT ON TABLE logbook_head IS 'how far each logbook goes, and what its next entry is judged by; whoever appends locks its row';
COMMENT ON COLUMN logbook_head.chain IS 'hash of the last link';
COMMENT ON COLUMN logbook_head.book IS 'schemas/book.py: keys and their roles, whether registered, when scrapped';
COMMENT ON COLUMN logbook_head.pinned_entries IS 'as the newest checkpoint has it, with pinned_chain; NULL: it has not';

CREATE TABLE logbook_entry (
    robot_id   text COLLATE "C" NOT NULL,
    number     integer          NOT NULL CHECK (number > 0),
    entry_id   text COLLATE "C" NOT NULL,
    kind       text             NOT NULL,
    author     text             NOT NULL,
    happened   timestamptz      NOT NULL,
    written    timestamptz      NOT NULL,
    received   timestamptz      NOT NULL,
    runtime_s  bigint,
    record     bytea            NOT NULL,
    checkpoint integer,
    PRIMARY KEY (robot_id, number),
    UNIQUE (robot_id, entry_id)
);
COMMENT ON TABLE logbook_entry IS 'each entry once; what counts is record, the other columns are for finding it';
COMMENT ON COLUMN logbook_entry.record IS 'a line of docs/logbook.md without opened: entry, signature, link, seal';
COMMENT ON COLUMN logbook_entry.author IS 'the public key that signed it';
COMMENT ON COLUMN logbook_entry.checkpoint IS 'size of the first checkpoint that has it; NULL: none yet';
CREATE INDEX logbook_entry_unpinned ON logbook_entry (robot_id, number) WHERE checkpoint IS NULL;
CREATE INDEX logbook_entry_of_kind ON logbook_entry (kind, received);

-- What is personal, beside the entry that only commits to it. To erase it is to delete its row.
CREATE TABLE logbook_opened (
    robot_id   text COLLATE "C" NOT NULL,
    number     integer          NOT NULL,
    commitment text COLLATE "C" NOT NULL,
    salt       text             NOT NULL,
    value      text             NOT NULL,
    PRIMARY KEY (robot_id, number, commitment),
    FOREIGN KEY (robot_id, number) REFERENCES logbook_entry ON DELETE CASCADE
);
COMMENT ON TABLE logbook_opened IS 'what stands behind an entry''s commitments: personal, and may be erased';
-- By the value's hash: it may be longer than an index's row.
CREATE INDEX logbook_opened_value ON logbook_opened (md5(value));

CREATE TABLE logbook_erased (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    robot_id   text COLLATE "C" NOT NULL,
    number     integer          NOT NULL,
    commitment text             NOT NULL,
    erased     timestamptz      NOT NULL DEFAULT now(),
    erased_by  text             NOT NULL,
    reason     text             NOT NULL
);
COMMENT ON TABLE logbook_erased IS 'which openings were erased, when, by whom and why; never what they said';
CREATE INDEX logbook_erased_of ON logbook_erased (robot_id, number);

CREATE TABLE logbook_checkpoint (
    size      integer     PRIMARY KEY,
    time      timestamptz NOT NULL,
    leaf      bytea       NOT NULL,
    line      bytea       NOT NULL,
    published timestamptz
);
COMMENT ON TABLE logbook_checkpoint IS 'the log of checkpoints: what all logbooks held at one moment, signed';
COMMENT ON COLUMN logbook_checkpoint.time IS 'when the newest entry that it has was received';
COMMENT ON COLUMN logbook_checkpoint.leaf IS 'its leaf in the tree over all checkpoints';
COMMENT ON COLUMN logbook_checkpoint.line IS 'one line of docs/logbook.md, as it is published';
COMMENT ON COLUMN logbook_checkpoint.published IS 'when the topic took it; NULL: not yet';
CREATE INDEX logbook_checkpoint_unpublished ON logbook_checkpoint (size) WHERE published IS NULL;

-- One row: the tree over the heads of the newest checkpoint, which proofs are made of. Hashes only, so everybody may
-- read all of it. Parts of it are read without the rest, which needs it to be stored as it is.
CREATE TABLE logbook_tree (
    size   integer PRIMARY KEY REFERENCES logbook_checkpoint,
    leaves bytea   NOT NULL,
    blocks bytea   NOT NULL
);
ALTER TABLE logbook_tree ALTER leaves SET STORAGE EXTERNAL;
COMMENT ON TABLE logbook_tree IS 'the newest checkpoint''s tree over heads: its leaves, 32 bytes each, in the order of codes';
COMMENT ON COLUMN logbook_tree.blocks IS 'the roots over 256 leaves each';

CALL show_by_robot('logbook_head');
CALL show_by_robot('logbook_entry');
CALL show_by_robot('logbook_opened');
CALL show_by_robot('logbook_erased');
-- Who owns and services a robot is for those who work with it: a viewer sees the commitments.
CREATE POLICY personal ON logbook_opened AS RESTRICTIVE FOR SELECT TO robovitals_reader
    USING ((SELECT current_setting('robovitals.personal', true) = 'on'));
GRANT SELECT ON logbook_checkpoint, logbook_tree TO robovitals_reader;
