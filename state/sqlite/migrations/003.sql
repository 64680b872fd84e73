-- The 24-hour window of a person at one sending number. What people.last_inbound
-- and people.shut say is about no number in particular: the first opens no window,
-- and the second, a correction from before format 3, closes them all.
CREATE TABLE windows (
  id      INTEGER PRIMARY KEY,
  person  INTEGER NOT NULL, -- as people.id
  number  INTEGER NOT NULL, -- address of the provider
  inbound INTEGER,          -- when the person wrote to it last
  shut    INTEGER,          -- when a provider last found it closed
  sum     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX windows_key ON windows (person, number);

-- Who is who: that an id is, or was, one of a person under several ids. An id
-- without a row is a person by itself.
CREATE TABLE ties (
  id        INTEGER PRIMARY KEY,
  recipient INTEGER NOT NULL, -- in its canonical spelling
  kind      INTEGER NOT NULL, -- delivery.IDKind
  person    INTEGER NOT NULL, -- id of people; from 2^62, so that it is no recipient
  number    INTEGER NOT NULL, -- address of the provider through which it was seen last
  since     INTEGER NOT NULL, -- first and last time at which it was seen as theirs
  seen      INTEGER NOT NULL,
  gone      INTEGER,          -- since when they have another one in its place
  former    INTEGER NOT NULL, -- 1 when it passed to somebody else
  sum       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ties_now ON ties (recipient) WHERE former = 0;
CREATE INDEX ties_person ON ties (person);

CREATE TABLE usernames (
  id   INTEGER PRIMARY KEY, -- as people.id
  name TEXT NOT NULL,
  at   INTEGER NOT NULL,
  sum  INTEGER NOT NULL
) STRICT;
