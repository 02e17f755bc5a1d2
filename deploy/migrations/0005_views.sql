-- What people query, in SQL or Grafana.

-- Its conditions on robot_id and time reach frame_key, since each side of the join is one row of `frame`.
CREATE VIEW reading AS
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
        ('robot', 'tool_current_a', 'A', frame.tool_current_a)
    ) AS single (component, signal, unit, value)
) AS one
WHERE one.value IS NOT NULL;
COMMENT ON VIEW reading IS 'one row a reading; joint counts from 1, and is 0 where the signal is not a joint''s';

CREATE VIEW episode AS
SELECT DISTINCT ON (robot_id, episode_id)
    episode_id, robot_id, episode, rule, rule_version, component, signal, status,
    CASE transition WHEN 'cleared' THEN 'cleared' ELSE 'open' END AS state,
    first_time AS opened, last_time AS last_sign,
    CASE transition WHEN 'cleared' THEN last_time END AS cleared,
    number AS transitions, count, live, value, unit, limit_value, software, scenario, text
FROM anomaly
ORDER BY robot_id, episode_id, number DESC;
COMMENT ON VIEW episode IS 'each episode as its latest transition left it';

-- Clocks ahead of ours would make a silent robot look alive, so only frames up to now count.
CREATE VIEW robot_state AS
SELECT robot.robot_id, robot.country, robot.enterprise, robot.model, robot.serial, robot.first_time,
       coalesce(health.status, 'UNKNOWN') AS status, coalesce(health.zone, '') AS zone,
       coalesce(health.mode, '') AS mode, coalesce(health.software, '') AS software,
       coalesce(health.scenario, '') AS scenario, coalesce(health.open_episodes, 0) AS open_episodes,
       coalesce(health.components, '[]') AS components, health.time AS assessed,
       greatest(health.last_seen, latest.time) AS last_seen,
       greatest(health.received, latest.received) AS received,
       now() - greatest(health.received, latest.received) AS age
FROM robot
LEFT JOIN health USING (robot_id)
LEFT JOIN LATERAL (
    SELECT frame.time, frame.received FROM frame
    WHERE frame.robot_id = robot.robot_id AND frame.time <= now()
    ORDER BY frame.time DESC LIMIT 1
) AS latest ON true;
COMMENT ON VIEW robot_state IS 'each robot''s latest health, and how old its latest data is';
