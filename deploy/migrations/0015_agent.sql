-- What a robot's agent says of itself and of its frames: what it dropped, what it downsampled, its clock, its spool.

ALTER TABLE frame
    ADD COLUMN dropped          bigint,
    ADD COLUMN lowest           real[],
    ADD COLUMN highest          real[],
    ADD COLUMN extremes_layout  text,
    ADD COLUMN clock_offset_ms    real,
    ADD COLUMN clock_synchronised real,
    ADD COLUMN spool_used         real,
    ADD COLUMN spool_frames       real,
    ADD COLUMN agent_reconnects   real,
    ADD COLUMN publish_latency_ms real;
COMMENT ON COLUMN frame.dropped IS
    'how many frames its robot has had to drop, cumulative over the life of its spool; NULL: nothing counts them';
COMMENT ON COLUMN frame.lowest IS
    'where the readings are means of several: the lowest of each, in the order of extremes_layout; see extreme()';
COMMENT ON COLUMN frame.highest IS 'the highest of each, as lowest';
COMMENT ON COLUMN frame.extremes_layout IS 'the number of joints and the signals of lowest and highest, in order';
COMMENT ON TABLE impossible_reading IS
    'what stood where frame has NULL because no such value is physically possible; joint 0: not a joint''s signal. '
    'Where frame has a value, it is the mean of readings whose lowest or highest could not be';

-- Joints' signals come first in a layout, so the others are found from its end. Plain enough for the planner to put
-- it in place, so it costs no call.
CREATE FUNCTION extreme(extremes real[], layout text, signal text, joint integer) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN extremes[CASE WHEN joint > 0
    THEN (array_position(string_to_array(split_part(layout, ':', 2), ','), signal) - 1)
         * split_part(layout, ':', 1)::integer + joint
    ELSE array_position(string_to_array(split_part(layout, ':', 2), ','), signal)
         - cardinality(string_to_array(split_part(layout, ':', 2), ',')) + cardinality(extremes)
END];
COMMENT ON FUNCTION extreme IS
    'of frame.lowest or frame.highest the entry of a signal (and joint, counted from 1; 0: not a joint''s signal)';

ALTER TABLE vitals
    ADD COLUMN clock_offset_ms_last    real,
    ADD COLUMN clock_offset_ms_min     real,
    ADD COLUMN clock_offset_ms_max     real,
    ADD COLUMN clock_synchronised_last real,
    ADD COLUMN clock_synchronised_min  real,
    ADD COLUMN spool_used_last         real,
    ADD COLUMN spool_used_max          real,
    ADD COLUMN spool_frames_last       real,
    ADD COLUMN spool_frames_max        real,
    ADD COLUMN agent_reconnects_last   real,
    ADD COLUMN publish_latency_ms_last real,
    ADD COLUMN publish_latency_ms_mean real,
    ADD COLUMN publish_latency_ms_max  real;
ALTER TABLE vitals_hourly
    ADD COLUMN clock_offset_ms_last    real,
    ADD COLUMN clock_offset_ms_min     real,
    ADD COLUMN clock_offset_ms_max     real,
    ADD COLUMN clock_synchronised_last real,
    ADD COLUMN clock_synchronised_min  real,
    ADD COLUMN spool_used_last         real,
    ADD COLUMN spool_used_max          real,
    ADD COLUMN spool_frames_last       real,
    ADD COLUMN spool_frames_max        real,
    ADD COLUMN agent_reconnects_last   real,
    ADD COLUMN publish_latency_ms_last real,
    ADD COLUMN publish_latency_ms_mean real,
    ADD COLUMN publish_latency_ms_max  real;

-- Its conditions on robot_id and time reach frame_key, since each side of the join is one row of `frame`.
CREATE OR REPLACE VIEW reading AS
SELECT frame.robot_id, frame.time, frame.seq, one.component, one.joint, one.signal, one.unit, one.value
FROM frame
CROSS JOIN LATERAL (
    SELECT 'joint/' || element.joint AS component, element.joint::smallint AS joint, by_joint.signal, by_joint.unit,
           element.value
    FROM (VALUES
        ('joint_position_rad', 'rad', frame.joint_position_rad),
        ('joint_velocity_rad_s', 'rad/s', frame.joint_velocity_rad_s),
        ('joint_torque_nm', 'Nm', frame.joint_torque_nm),
        ('joint_current_a', 'A', frame.joint_current_a),
        ('joint_voltage_v', 'V', frame.joint_voltage_v),
        ('joint_temperature_c', '°C', frame.joint_temperature_c),
        ('joint_tracking_error_rad', 'rad', frame.joint_tracking_error_rad),
        ('joint_backlash_arcmin', 'arcmin', frame.joint_backlash_arcmin),
        ('joint_vibration_mm_s', 'mm/s', frame.joint_vibration_mm_s),
        ('joint_wear', '1', frame.joint_wear)
    ) AS by_joint (signal, unit, readings)
    CROSS JOIN LATERAL unnest(by_joint.readings) WITH ORDINALITY AS element (value, joint)
    UNION ALL
    SELECT single.component, 0::smallint, single.signal, single.unit, single.value
    FROM (VALUES
        ('accuracy', 'pose_accuracy_mm', 'mm', frame.pose_accuracy_mm),
        ('accuracy', 'pose_repeatability_mm', 'mm', frame.pose_repeatability_mm),
        ('accuracy', 'path_accuracy_mm', 'mm', frame.path_accuracy_mm),
        ('accuracy', 'path_repeatability_mm', 'mm', frame.path_repeatability_mm),
        ('accuracy', 'position_overshoot_mm', 'mm', frame.position_overshoot_mm),
        ('accuracy', 'accuracy_samples', '1', frame.accuracy_samples),
        ('battery', 'battery_soc', '1', frame.battery_soc),
        ('battery', 'battery_soh', '1', frame.battery_soh),
        ('battery', 'battery_voltage_v', 'V', frame.battery_voltage_v),
        ('battery', 'battery_current_a', 'A', frame.battery_current_a),
        ('battery', 'battery_temperature_c', '°C', frame.battery_temperature_c),
        ('battery', 'battery_cell_spread_mv', 'mV', frame.battery_cell_spread_mv),
        ('battery', 'battery_resistance_mohm', 'mΩ', frame.battery_resistance_mohm),
        ('battery', 'battery_capacity_ah', 'Ah', frame.battery_capacity_ah),
        ('battery', 'battery_cell_min_v', 'V', frame.battery_cell_min_v),
        ('battery', 'battery_cell_max_v', 'V', frame.battery_cell_max_v),
        ('robot', 'ambient_temperature_c', '°C', frame.ambient_temperature_c),
        ('robot', 'tool_current_a', 'A', frame.tool_current_a),
        ('robot', 'clock_offset_ms', 'ms', frame.clock_offset_ms),
        ('robot', 'clock_synchronised', '1', frame.clock_synchronised),
        ('robot', 'spool_used', '1', frame.spool_used),
        ('robot', 'spool_frames', '1', frame.spool_frames),
        ('robot', 'agent_reconnects', '1', frame.agent_reconnects),
        ('robot', 'publish_latency_ms', 'ms', frame.publish_latency_ms)
    ) AS single (component, signal, unit, value)
) AS one
WHERE one.value IS NOT NULL;

-- People see the new columns too.
CALL show_by_robot('frame');
CALL show_by_robot('vitals');
CALL show_by_robot('vitals_hourly');
CALL show_by_robot('reading');
