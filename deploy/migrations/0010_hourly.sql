-- Hours: one row a robot and hour of vitals, which stay when vitals go. Written by `robovitals retain`.

CREATE TABLE vitals_hourly (
    robot_id        text COLLATE "C" NOT NULL,
    start           timestamptz      NOT NULL,
    windows         integer          NOT NULL,
    seen_s          real             NOT NULL,
    frames          bigint           NOT NULL,
    missing         bigint           NOT NULL,
    fault_frames    bigint           NOT NULL,
    backfill_frames bigint           NOT NULL,
    boots           integer          NOT NULL,
    last_time       timestamptz      NOT NULL,
    received        timestamptz      NOT NULL,
    mode            smallint         NOT NULL,
    runtime_s       bigint,
    energy_wh       bigint,
    cycles          bigint,
    software        text             NOT NULL,
    scenario        text             NOT NULL,
    joint_position_rad_last          real[],
    joint_position_rad_min           real[],
    joint_position_rad_max           real[],
    joint_velocity_rad_s_max         real[],
    joint_velocity_rad_s_rms         real[],
    joint_torque_nm_mean             real[],
    joint_torque_nm_rms              real[],
    joint_current_a_mean             real[],
    joint_current_a_min              real[],
    joint_current_a_max              real[],
    joint_current_a_rms              real[],
    joint_voltage_v_mean             real[],
    joint_voltage_v_min              real[],
    joint_temperature_c_last         real[],
    joint_temperature_c_mean         real[],
    joint_temperature_c_min          real[],
    joint_temperature_c_max          real[],
    joint_tracking_error_rad_max     real[],
    joint_tracking_error_rad_rms     real[],
    joint_backlash_arcmin_last       real[],
    joint_backlash_arcmin_mean       real[],
    joint_backlash_arcmin_max        real[],
    joint_vibration_mm_s_mean        real[],
    joint_vibration_mm_s_max         real[],
    joint_wear_last                  real[],
    joint_wear_max                   real[],
    pose_accuracy_mm_last            real,
    pose_accuracy_mm_mean            real,
    pose_repeatability_mm_last       real,
    pose_repeatability_mm_mean       real,
    path_accuracy_mm_last            real,
    path_accuracy_mm_mean            real,
    path_repeatability_mm_last       real,
    path_repeatability_mm_mean       real,
    position_overshoot_mm_last       real,
    position_overshoot_mm_mean       real,
    accuracy_samples_last            real,
    battery_soc_last                 real,
    battery_soc_min                  real,
    battery_soh_last                 real,
    battery_soh_min                  real,
    battery_voltage_v_last           real,
    battery_voltage_v_mean           real,
    battery_voltage_v_min            real,
    battery_current_a_mean           real,
    battery_current_a_min            real,
    battery_current_a_max            real,
    battery_temperature_c_last       real,
    battery_temperature_c_mean       real,
    battery_temperature_c_min        real,
    battery_temperature_c_max        real,
    battery_cell_spread_mv_last      real,
    battery_cell_spread_mv_mean      real,
    battery_cell_spread_mv_max       real,
    battery_resistance_mohm_last     real,
    battery_resistance_mohm_mean     real,
    battery_capacity_ah_last         real,
    battery_cell_min_v_last          real,
    battery_cell_min_v_min           real,
    battery_cell_max_v_last          real,
    battery_cell_max_v_max           real,
    ambient_temperature_c_last       real,
    ambient_temperature_c_mean       real,
    tool_current_a_mean              real,
    tool_current_a_max               real
);
COMMENT ON TABLE vitals_hourly IS
    'one row a robot and hour: of its windows the last, min, max, and mean and rms weighted by frames';
COMMENT ON COLUMN vitals_hourly.seen_s IS 'how much time the windows span that have frames';
COMMENT ON COLUMN vitals_hourly.boots IS 'how many boots its windows'' last frames are of';
COMMENT ON COLUMN vitals_hourly.mode IS 'of the last window, as the counters, software, scenario, last_time and received';

-- A chart of a year opens 13 chunks; a fleet of 10 000 has 7 million rows in each.
SELECT create_hypertable('vitals_hourly', by_range('start', INTERVAL '30 days'), create_default_indexes => false);
CREATE UNIQUE INDEX vitals_hourly_key ON vitals_hourly (robot_id, start);

CREATE TABLE hourly_state (
    one          boolean     PRIMARY KEY DEFAULT true CHECK (one),
    rolled_until timestamptz NOT NULL DEFAULT '-infinity',
    kept_from    timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO hourly_state DEFAULT VALUES;
COMMENT ON TABLE hourly_state IS 'how far vitals have become hours, and from when on vitals are complete';
COMMENT ON COLUMN hourly_state.rolled_until IS
    'hours before it are rolled up, or just being: whoever lands windows of them says so in hourly_due';
COMMENT ON COLUMN hourly_state.kept_from IS 'vitals before it have been dropped: what comes late for them changes no hour';

-- No unique key: the lander only appends, and never waits for the roll-up, nor that for the lander.
CREATE TABLE hourly_due (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    robot_id text COLLATE "C" NOT NULL,
    start    timestamptz      NOT NULL
);
COMMENT ON TABLE hourly_due IS 'hours to roll up again, since windows of them landed after they had been';

-- Counts and grids of the fleet read every robot's health: its components, some kB each, lie beside its row and not in
-- it. MAIN keeps the short texts where they are.
ALTER TABLE health
    ALTER robot_id SET STORAGE MAIN, ALTER status SET STORAGE MAIN, ALTER zone SET STORAGE MAIN,
    ALTER mode SET STORAGE MAIN, ALTER software SET STORAGE MAIN, ALTER scenario SET STORAGE MAIN;
ALTER TABLE health SET (toast_tuple_target = 256);

-- The second half is for robots that were not judged yet. Joining all of 100 000 to find the few takes 70 ms of 80, so
-- it is only looked for where the numbers differ.
CREATE VIEW fleet_robot WITH (security_invoker = true) AS
SELECT robot_id, status, zone, mode, software, scenario, open_episodes, last_seen, received FROM health
UNION ALL
SELECT robot_id, 'UNKNOWN', '', '', '', '', 0, NULL, NULL FROM robot
WHERE (SELECT count(*) FROM robot) <> (SELECT count(*) FROM health)
  AND NOT EXISTS (SELECT FROM health WHERE health.robot_id = robot.robot_id);
COMMENT ON VIEW fleet_robot IS 'every robot as it was last judged; last_seen and received are as of then';
