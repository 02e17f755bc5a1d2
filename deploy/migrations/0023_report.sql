-- Links to history reports that were given away: each is signed and ends by itself; its row is for ending it before.

CREATE TABLE report_link (
    link_id  text        PRIMARY KEY,
    robot_id text COLLATE "C" NOT NULL,
    made     timestamptz NOT NULL DEFAULT now(),
    made_by  text        NOT NULL,
    expires  timestamptz NOT NULL,
    revoked  timestamptz
);
COMMENT ON TABLE report_link IS 'links to reports that somebody may open without logging in; a link without a row opens nothing';
CREATE INDEX report_link_of ON report_link (robot_id);
