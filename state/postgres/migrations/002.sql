-- Runs that any process can carry on: the plan lies in the state, and a lane has
-- an owner for a limited time.

ALTER TABLE runs
  ADD carried  boolean NOT NULL DEFAULT false, -- other processes can carry it on
  ADD detached boolean NOT NULL DEFAULT false, -- it was left to workers
  ADD stopped  boolean NOT NULL DEFAULT false, -- nobody takes over its lanes
  ADD hold     bytea;                          -- JSON: campaigns whose templates are not sent

ALTER TABLE lanes
  ADD done  boolean NOT NULL DEFAULT false, -- nothing is left of it to drive
  ADD owner bytea,                          -- JSON
  ADD since timestamptz,                    -- when the owner took it
  ADD until timestamptz;                    -- when it is free for others; none where it belongs to its run until somebody takes the number
ALTER TABLE lanes SET (fillfactor = 50);
CREATE INDEX lanes_run ON lanes (run);

-- The saved plan of an open run, in parts.
CREATE TABLE plans (
  run  bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
  part integer NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (run, part)
);
ALTER TABLE plans ALTER data SET STORAGE EXTERNAL; -- it is compressed

-- Who drives runs, for people and for those who leave a run to workers.
CREATE TABLE workers (
  id    text PRIMARY KEY,
  info  bytea NOT NULL, -- JSON
  until timestamptz NOT NULL
) WITH (fillfactor = 50);
