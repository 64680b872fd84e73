-- What became of a few thousand attempts of one campaign revision, packed; see
-- packed.go. It says nothing that the rows of attempts and outcomes do not say.
CREATE TABLE sheets (
  id       INTEGER PRIMARY KEY, -- of the first attempt
  last     INTEGER NOT NULL,    -- id of the last attempt
  campaign INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  count    INTEGER NOT NULL,    -- of attempts
  facts    BLOB NOT NULL,
  sum      INTEGER NOT NULL
) STRICT;
