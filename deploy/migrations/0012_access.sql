-- Who may read, and a second wall behind the server: which robots are seen is decided by the database too.

CREATE TABLE fleet_robots (
    fleet  text NOT NULL,
    prefix text COLLATE "C" NOT NULL CHECK (prefix ~ '^[0-9A-Z]{1,29}$'),
    PRIMARY KEY (fleet, prefix)
);
COMMENT ON TABLE fleet_robots IS 'a fleet is the robots whose code begins with one of its prefixes; a whole code is one';

CREATE TABLE credential (
    id      bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    digest  bytea       PRIMARY KEY,
    kind    text        NOT NULL CHECK (kind IN ('token', 'link', 'session')),
    name    text        NOT NULL,
    role    text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    fleets  text[]      CHECK (role <> 'admin' OR fleets IS NULL),
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL,
    used    timestamptz
);
COMMENT ON TABLE credential IS 'what opens the page and the API: a token of a program, a link to log in once, a session';
COMMENT ON COLUMN credential.digest IS 'SHA-256 of the secret, which is nowhere kept';
COMMENT ON COLUMN credential.fleets IS 'what its holder may see; NULL: every robot';
COMMENT ON COLUMN credential.used IS 'when it was last used, to a few minutes';
CREATE INDEX credential_of_name ON credential (name);

-- Roles belong to the whole server, so another database of it, or its administrator, may have made this one already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'robovitals_reader') THEN
        CREATE ROLE robovitals_reader NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$
BEGIN
    IF NOT pg_has_role('robovitals_reader', 'USAGE') THEN
        GRANT robovitals_reader TO CURRENT_USER;
    END IF;
END $$;

-- Where that role looks first. A hypertable's policies would not hold for its chunks, which inherit its grants, and
-- TimescaleDB has no columnstore for a table that has policies; so the role may not read hypertables at all, but
-- views of them that stand here under their names. They have no barrier: the planner must see through them to find
-- an index's order, and nobody but the server writes queries for this role.
CREATE SCHEMA visible;
COMMENT ON SCHEMA visible IS 'hypertables and views as the person who asks may see them';
GRANT USAGE ON SCHEMA visible TO robovitals_reader;

-- The setting is the list of prefixes of the person who asks, or * for all; without it nothing is seen. Its subquery is
-- asked once a statement, not once a row. 'fleet', which stands for many robots, begins with no prefix.
-- Call it for each table and view with a column robot_id that people read, and again for a view or a hypertable with a
-- new column.
CREATE PROCEDURE show_by_robot(shown regclass) LANGUAGE plpgsql AS $$
DECLARE
    name text := (SELECT relname FROM pg_class WHERE oid = shown);
    path text := current_setting('search_path');
    definition text;
    condition text := '(SELECT current_setting(''robovitals.prefixes'', true) = ''*'')'
        ' OR robot_id ^@ ANY ((SELECT string_to_array(current_setting(''robovitals.prefixes'', true), '',''))::text[])';
BEGIN
    IF EXISTS (
        SELECT FROM timescaledb_information.hypertables
        WHERE format('%I.%I', hypertable_schema, hypertable_name)::regclass = shown
    ) THEN
        EXECUTE format('CREATE OR REPLACE VIEW visible.%I AS SELECT * FROM %s WHERE %s', name, shown, condition);
        EXECUTE format('GRANT SELECT ON visible.%I TO robovitals_reader', name);
    ELSIF (SELECT relkind FROM pg_class WHERE oid = shown) = 'v' THEN
        -- A view has the rights of who made it, so this is another, over the names that are found in the schema above.
        definition := pg_get_viewdef(shown);
        PERFORM set_config('search_path', 'visible, ' || path, true);
        EXECUTE format('CREATE OR REPLACE VIEW visible.%I WITH (security_invoker) AS %s', name, definition);
        PERFORM set_config('search_path', path, true);
        EXECUTE format('GRANT SELECT ON visible.%I TO robovitals_reader', name);
    ELSE
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', shown);
        EXECUTE format('CREATE POLICY visible ON %s FOR SELECT TO robovitals_reader USING (%s)', shown, condition);
        EXECUTE format('GRANT SELECT ON %s TO robovitals_reader', shown);
    END IF;
END $$;
COMMENT ON PROCEDURE show_by_robot IS 'let people read a table, as far as its rows are of robots that they may see';

CALL show_by_robot('robot');
CALL show_by_robot('health');
CALL show_by_robot('health_history');
CALL show_by_robot('episode');
CALL show_by_robot('anomaly');
CALL show_by_robot('action');
CALL show_by_robot('frame');
CALL show_by_robot('vitals');
CALL show_by_robot('vitals_hourly');
CALL show_by_robot('delivery');
CALL show_by_robot('impossible_reading');

-- An episode of many robots is seen by who sees every robot. For the others it speaks for none of its members: else
-- these would be muted, and nobody called.
DO $$
DECLARE
    columns text := (
        SELECT string_agg(CASE attname WHEN 'parent' THEN
            'CASE WHEN parent <> '''' AND EXISTS (SELECT FROM episode AS speaker WHERE speaker.episode_id = episode.parent)'
            ' THEN parent ELSE '''' END AS parent' ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = 'episode'::regclass AND attnum > 0 AND NOT attisdropped
    );
BEGIN
    EXECUTE format('CREATE VIEW visible.episode WITH (security_invoker) AS SELECT %s FROM episode', columns);
END $$;
GRANT SELECT ON visible.episode TO robovitals_reader;

-- The views that were there, over what the person may see.
CALL show_by_robot('reading');
CALL show_by_robot('robot_state');
CALL show_by_robot('out_of_service');
CALL show_by_robot('fleet_robot');
