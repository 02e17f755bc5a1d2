-- Frames as robots sent them: one row a frame, every signal of schemas/signals.py a column.

CREATE TABLE frame (
    robot_id   text COLLATE "C" NOT NULL,
    time       timestamptz      NOT NULL,
    seq        bigint           NOT NULL,
    boot_id    bigint           NOT NULL,
    mono_us    bigint           NOT NULL,
    received   timestamptz      NOT NULL,
    runtime_s  bigint,
    energy_wh  bigint,
    cycles     bigint,
    mode       smallint         NOT NULL,
    backfill   boolean          NOT NULL,
    scenario   text             NOT NULL,
    software   text             NOT NULL,
    joint_position_rad         real[],
    joint_velocity_rad_s       real[],
    joint_torque_nm            real[],
    joint_current_a            real[],
    joint_voltage_v            real[],
    joint_temperature_c        real[],
    joint_tracking_error_rad   real[],
    joint_backlash_arcmin      real[],
    joint_vibration_mm_s       real[],
    joint_wear                 real[],
    pose_accuracy_mm           real,
    pose_repeatability_mm      real,
    path_accuracy_mm           real,
    path_repeatability_mm      real,
    position_overshoot_mm      real,
    accuracy_samples           real,
    battery_soc                real,
    battery_soh                real,
    battery_voltage_v          real,
    battery_current_a          real,
    battery_temperature_c      real,
    battery_cell_spread_mv     real,
    battery_resistance_mohm    real,
    battery_capacity_ah        real,
    battery_cell_min_v         real,
    battery_cell_max_v         real,
    ambient_temperature_c      real,
    tool_current_a             real
);
COMMENT ON TABLE frame IS 'one row a frame; a joint signal has one element a joint, NULL where absent or impossible';
COMMENT ON COLUMN frame.time IS 'event time: the robot''s clock';
COMMENT ON COLUMN frame.received IS 'when the broker had it';
COMMENT ON COLUMN frame.mode IS '0 idle, 1 working, 2 charging, 3 fault, 4 teleoperated';
COMMENT ON COLUMN frame.backfill IS 'sent late from the robot''s spool';

SELECT create_hypertable('frame', by_range('time', INTERVAL '1 day'), create_default_indexes => false);

-- What was produced twice is stored once. It also serves every query for a robot and a range of time.
CREATE UNIQUE INDEX frame_key ON frame (robot_id, time, seq);

CREATE TABLE impossible_reading (
    robot_id text COLLATE "C" NOT NULL,
    time     timestamptz      NOT NULL,
    seq      bigint           NOT NULL,
    signal   text             NOT NULL,
    joint    smallint         NOT NULL,
    value    real             NOT NULL,
    PRIMARY KEY (robot_id, time, seq, signal, joint)
);
SELECT create_hypertable('impossible_reading', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
COMMENT ON TABLE impossible_reading IS
    'what stood where frame has NULL because no such value is physically possible; joint 0: not a joint''s signal';

CREATE TABLE robot (
    robot_id   text COLLATE "C" PRIMARY KEY,
    first_time timestamptz NOT NULL,
    country    text NOT NULL GENERATED ALWAYS AS (substr(robot_id, 1, 2)) STORED,
    enterprise text NOT NULL GENERATED ALWAYS AS (substr(robot_id, 3, 4)) STORED,
    model      text NOT NULL GENERATED ALWAYS AS (substr(robot_id, 7, 6)) STORED,
    serial     text NOT NULL GENERATED ALWAYS AS (substr(robot_id, 13)) STORED
);
COMMENT ON TABLE robot IS 'every robot that has ever sent a frame, with the segments of its code';
COMMENT ON COLUMN robot.first_time IS 'event time of its first frame';
