-- Where robots are, as whoever runs the fleet says: what operators group and filter by.

-- Beside `robot`, not in it: a robot is placed before its first frame has come, and the fleet's questions that are not
-- about sites need not read it.
CREATE TABLE robot_site (
    robot_id text COLLATE "C" PRIMARY KEY,
    site     text NOT NULL CHECK (site <> '')
);
COMMENT ON TABLE robot_site IS 'where a robot is; without a row nobody has said';
CREATE INDEX robot_site_by_site ON robot_site (site, robot_id);

CALL show_by_robot('robot_site');

-- A chart of hours asks how far they go, as the person who looks. No robot is in it.
GRANT SELECT ON hourly_state TO robovitals_reader;
