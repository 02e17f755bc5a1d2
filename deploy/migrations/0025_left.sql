-- Which master key a database's robots' keys follow from, and what the page's server may do.

CREATE TABLE seal_master (
    is_one      boolean     PRIMARY KEY DEFAULT true CHECK (is_one),
    fingerprint bytea       NOT NULL CHECK (octet_length(fingerprint) = 16),
    since       timestamptz NOT NULL DEFAULT now(),
    set_by      text        NOT NULL
);
COMMENT ON TABLE seal_master IS
    'one row: the master key that land and summarise must both have. The first that looks sets it';
COMMENT ON COLUMN seal_master.fingerprint IS 'an HMAC by the key of a fixed text, which says nothing of the key';

-- The server drops to this role before it does anything; whoever logs in for it alone (robovitals up does) is a member
-- of it and of nothing else. It sees what a person may see (robovitals_reader), and keeps who may come in, what is told
-- to whom, and which rejects were sent again. It writes no frame and owns nothing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'robovitals_server') THEN
        CREATE ROLE robovitals_server NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    IF NOT pg_has_role('robovitals_server', 'USAGE') THEN
        GRANT robovitals_server TO CURRENT_USER;
    END IF;
    IF NOT pg_has_role('robovitals_server', 'robovitals_reader', 'MEMBER') THEN
        GRANT robovitals_reader TO robovitals_server;
    END IF;
END $$;

GRANT SELECT ON landed, late_window, security_event, health, episode, fleet_robots, robot, report_link
    TO robovitals_server;
GRANT SELECT (robot_id, audited) ON audit_state TO robovitals_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON credential TO robovitals_server;
GRANT SELECT, INSERT, UPDATE ON delivery TO robovitals_server;
GRANT SELECT, UPDATE ON receiver TO robovitals_server;
GRANT SELECT, UPDATE (redriven, redriven_by) ON reject TO robovitals_server;
CREATE POLICY server ON health FOR SELECT TO robovitals_server USING (true);
CREATE POLICY server ON episode FOR SELECT TO robovitals_server USING (true);
CREATE POLICY server ON security_event FOR SELECT TO robovitals_server USING (true);
CREATE POLICY server ON robot FOR SELECT TO robovitals_server USING (true);
CREATE POLICY server ON delivery TO robovitals_server USING (true) WITH CHECK (true);
