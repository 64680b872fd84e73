-- The links of messages: where each recipient's own token leads, and who followed it.
CREATE TABLE links (
  id       INTEGER PRIMARY KEY,
  token    TEXT,             -- NULL once the recipient is erased
  attempt  INTEGER NOT NULL,
  link     INTEGER NOT NULL, -- address of the link block
  clicked  INTEGER,          -- when the person first followed it
  programs INTEGER NOT NULL, -- how often previews and robots fetched it
  sum      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX links_token ON links (token) WHERE token IS NOT NULL;
CREATE INDEX links_attempt ON links (attempt);
