-- All that was told about ids that were seen together, of which ties, and the
-- people, windows and usernames of those who have ties, are what follows: see
-- delivery.Circle. An id without ties is a circle by itself, and has no row.
CREATE TABLE circles (
  id   INTEGER PRIMARY KEY,
  told BLOB NOT NULL, -- delivery.Circle as JSON
  sum  INTEGER NOT NULL
) STRICT;

ALTER TABLE ties RENAME COLUMN number TO circle;
CREATE INDEX ties_circle ON ties (circle);
