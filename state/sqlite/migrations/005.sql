-- What a provider told about the price of a message.
CREATE TABLE billings (
  id       INTEGER PRIMARY KEY, -- of the attempt
  rank     INTEGER NOT NULL,    -- of the status that told it
  at       INTEGER NOT NULL,
  billable INTEGER NOT NULL,
  category TEXT NOT NULL,
  model    TEXT,
  type     TEXT,
  sum      INTEGER NOT NULL
) STRICT;
