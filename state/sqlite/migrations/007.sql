-- A sending number as one run has it, or as whoever answers at it has it. The
-- highest epoch of a number has it now; runs and replies are counted apart.
CREATE TABLE lanes (
  id      INTEGER PRIMARY KEY, -- from 1 for runs; from -2 down for replies
  number  INTEGER NOT NULL,    -- address of the provider; 0 where format 6 did not keep it
  replies INTEGER NOT NULL,    -- 1 for replies
  epoch   INTEGER NOT NULL,
  run     INTEGER NOT NULL,    -- 0 for replies
  settled INTEGER NOT NULL,    -- its attempts up to this id have an outcome
  over    INTEGER NOT NULL,    -- 1 when all of them have, and no more come
  sum     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX lanes_epoch ON lanes (number, replies, epoch);

-- Until now the run; 0 for replies, and -1 for imports, which have no lane.
ALTER TABLE attempts RENAME COLUMN run TO lane;
