-- Maintenance: what makers plan for their models, and how each robot stands. Kept up to date by `robovitals retain`.

CREATE TABLE maintenance_plan (
    prefix   text COLLATE "C" PRIMARY KEY CHECK (prefix ~ '^[0-9A-Z]{4,10}$'),
    plan     text        NOT NULL,
    imported timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE maintenance_plan IS
    'by maker and model (characters 3 to 12 of the code, or how they begin) what is to be done, as JSON '
    '(schemas/maintenance_plan.py); of several that fit a robot the longest counts';

CREATE TABLE maintenance_task (
    robot_id      text COLLATE "C"   NOT NULL,
    task          text               NOT NULL,
    component     text               NOT NULL,
    planned       integer            NOT NULL,
    text          text               NOT NULL,
    since         timestamptz,
    since_entry   integer,
    done          timestamptz,
    done_entry    integer,
    closed        boolean            NOT NULL,
    date_us       double precision[],
    runtime_s     double precision[],
    cycles        double precision[],
    wear          double precision[],
    state         text               NOT NULL,
    used          double precision,
    overdue_since timestamptz,
    PRIMARY KEY (robot_id, planned, task, component)
);
COMMENT ON TABLE maintenance_task IS
    'how each task of each robot stands: what its model''s plan and its logbook say (schemas/maintenance.py)';
COMMENT ON COLUMN maintenance_task.planned IS 'number of the logbook''s entry that plans it; 0: the model''s plan does';
COMMENT ON COLUMN maintenance_task.since IS 'when its clock began, as entry since_entry of the logbook says; NULL: unknown';
COMMENT ON COLUMN maintenance_task.closed IS 'a plan of the logbook that is done';
COMMENT ON COLUMN maintenance_task.date_us IS
    'where its clock began, where it is due and where overdue, in µs since 1970; so too runtime_s and cycles, in what the '
    'robot''s counters say today, and wear';
COMMENT ON COLUMN maintenance_task.used IS 'how much of its interval is over, 1 when it is due; NULL: unknown';
COMMENT ON COLUMN maintenance_task.overdue_since IS
    'by a counter an estimate, as if it had advanced evenly; as of maintenance_judged';
CREATE INDEX maintenance_task_pressing ON maintenance_task (state, used DESC, robot_id)
    WHERE state IN ('due', 'overdue');
CALL show_by_robot('maintenance_task');

CREATE TABLE maintenance_judged (
    robot_id text COLLATE "C" PRIMARY KEY,
    entries  integer     NOT NULL,
    plans    timestamptz NOT NULL,
    judged   timestamptz NOT NULL
);
COMMENT ON TABLE maintenance_judged IS
    'how many entries of each logbook its tasks are of, of which plans (when the last had been imported), and when they '
    'were held against the robot''s counters';
CALL show_by_robot('maintenance_judged');
