-- Parts as robots tell of them: which serial was in a component from when until when.

CREATE TABLE part_seen (
    robot_id  text COLLATE "C" NOT NULL,
    component text COLLATE "C" NOT NULL,
    serial    text             NOT NULL,
    first     timestamptz      NOT NULL,
    last      timestamptz      NOT NULL,
    recent_us bigint[]         NOT NULL,
    PRIMARY KEY (robot_id, component, first)
);
COMMENT ON TABLE part_seen IS
    'a run of a robot''s reports, in the order of event time, that have one serial in a component; the next row of the '
    'component has another serial';
COMMENT ON COLUMN part_seen.last IS 'its latest report; what was in the component until the next row began, nobody told';
COMMENT ON COLUMN part_seen.recent_us IS
    'its latest reports, in µs since 1970: where one that comes late parts the run';
-- Where else a serial was seen.
CREATE INDEX part_seen_by_serial ON part_seen (serial);

CALL show_by_robot('part_seen');
