-- What the configuration looks after in an account, such as one language of a
-- template.
CREATE TABLE managed (
  id      INTEGER PRIMARY KEY,
  address TEXT NOT NULL, -- "template.spring.en_US"
  data    BLOB NOT NULL, -- JSON: state.Managed
  sum     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX managed_address ON managed (address);
