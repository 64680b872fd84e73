-- Every table has an integer id first and a checksum of the row last; see
-- row.go. Times are milliseconds since 1970 in UTC. A recipient is an integer:
-- the digits of a phone number, or the negative id of a row of names.

CREATE TABLE meta (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  lineage   TEXT NOT NULL,
  serial    INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  recovered INTEGER NOT NULL, -- attempts up to this id were settled by Recover or before it
  created   INTEGER NOT NULL,
  halt      TEXT,             -- why Begin refuses until somebody acknowledges it
  sum       INTEGER NOT NULL
) STRICT;

-- How many rows each table has, and the sum of their checksums: what a lost or
-- an added row changes.
CREATE TABLE ledger (
  id   INTEGER PRIMARY KEY,
  rows INTEGER NOT NULL,
  acc  INTEGER NOT NULL
) STRICT;

CREATE TABLE addresses (
  id      INTEGER PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,
  sum     INTEGER NOT NULL
) STRICT;

CREATE TABLE names (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  sum  INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (
  id        INTEGER PRIMARY KEY,
  recipient INTEGER NOT NULL,
  campaign  INTEGER NOT NULL,
  revision  INTEGER NOT NULL,
  attempt   INTEGER NOT NULL,
  run       INTEGER NOT NULL, -- 0 for replies, -1 for imports
  message   INTEGER NOT NULL,
  intended  INTEGER NOT NULL,
  digest    BLOB NOT NULL,
  body      BLOB NOT NULL,    -- first 16 bytes of the SHA-256
  ref       ANY,              -- 20 bytes when message.NewRef made it for this lineage, else text
  sum       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX attempts_key ON attempts (recipient, campaign, revision, attempt);
-- A part finds it; the whole is compared after.
CREATE INDEX attempts_ref ON attempts (substr(ref, 1, 6)) WHERE ref IS NOT NULL;

-- No row means sending.
CREATE TABLE outcomes (
  id      INTEGER PRIMARY KEY, -- of the attempt
  send    INTEGER NOT NULL,
  proof   INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  code    TEXT,
  title   TEXT,
  cause   TEXT,
  hash    INTEGER, -- 48 bits of the provider's id, for the index
  sent_id ANY,     -- the provider's id, packed
  sum     INTEGER NOT NULL
) STRICT;
CREATE INDEX outcomes_hash ON outcomes (hash) WHERE hash IS NOT NULL;

-- Accepted attempts after which a person ordered the message to be sent again.
CREATE TABLE superseded (
  id  INTEGER PRIMARY KEY, -- of the attempt
  at  INTEGER NOT NULL,
  why TEXT NOT NULL,
  sum INTEGER NOT NULL
) STRICT;

-- What is open, in doubt or refused is never superseded.
CREATE TRIGGER superseded_accepted BEFORE INSERT ON superseded
WHEN NOT EXISTS (SELECT 1 FROM outcomes WHERE id = new.id AND send = 2)
BEGIN SELECT RAISE(ABORT, 'only an accepted attempt can be superseded'); END;

-- One message, once: no attempt beside one that is open, accepted or in doubt,
-- but for those that an order superseded.
CREATE TRIGGER attempts_once BEFORE INSERT ON attempts
WHEN EXISTS (
  SELECT 1 FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
  WHERE a.recipient = new.recipient AND a.campaign = new.campaign AND a.revision = new.revision
    AND (o.send IS NULL OR o.send IN (2, 4))
    AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.id = a.id))
BEGIN SELECT RAISE(ABORT, 'this delivery is open, accepted or in doubt already'); END;

-- Out of accepted there is no way.
CREATE TRIGGER outcomes_final BEFORE INSERT ON outcomes
WHEN EXISTS (SELECT 1 FROM outcomes WHERE id = new.id AND send = 2 AND new.send <> 2)
BEGIN SELECT RAISE(ABORT, 'an accepted delivery stays accepted'); END;

CREATE TABLE statuses (
  id         INTEGER PRIMARY KEY, -- of the attempt
  rank       INTEGER NOT NULL,
  rank_at    INTEGER NOT NULL,
  failed_at  INTEGER,
  fail_code  TEXT,
  fail_title TEXT,
  replied    INTEGER,
  sum        INTEGER NOT NULL
) STRICT;

CREATE TABLE people (
  id           INTEGER PRIMARY KEY, -- the recipient
  last_inbound INTEGER,
  shut         INTEGER, -- the newest time at which the window was found closed
  opt          INTEGER NOT NULL, -- 0 unknown, 1 out, 2 in
  opt_at       INTEGER,
  reason       TEXT,
  evidence     TEXT,
  cooldown     INTEGER,
  profile      TEXT,
  profile_at   INTEGER,
  attributes   TEXT,
  handover     INTEGER NOT NULL,
  sum          INTEGER NOT NULL
) STRICT;

CREATE TABLE erased (
  id   INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  at   INTEGER NOT NULL,
  sum  INTEGER NOT NULL
) STRICT;

CREATE TABLE resources (
  id      INTEGER PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,
  type    TEXT NOT NULL,
  name    TEXT NOT NULL,
  tree    BLOB NOT NULL,
  refs    TEXT NOT NULL,
  sum     INTEGER NOT NULL
) STRICT;

CREATE TABLE blobs (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  data BLOB NOT NULL,
  sum  INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
  id        INTEGER PRIMARY KEY,
  epoch     INTEGER NOT NULL,
  started   INTEGER NOT NULL,
  ended     INTEGER,
  version   TEXT NOT NULL,
  plan      TEXT NOT NULL,
  halted    TEXT NOT NULL,
  campaigns TEXT NOT NULL, -- JSON
  sum       INTEGER NOT NULL
) STRICT;

-- Webhook bodies between their acceptance and their folding.
CREATE TABLE inbox (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  provider INTEGER NOT NULL,
  received INTEGER NOT NULL,
  raw      BLOB NOT NULL,
  events   BLOB NOT NULL, -- JSON
  sum      INTEGER NOT NULL
) STRICT;

-- What was accepted in the last 45 days, so that a repetition is known.
CREATE TABLE seen (
  id       INTEGER PRIMARY KEY,
  provider INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  received INTEGER NOT NULL,
  sum      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX seen_hash ON seen (hash, provider);

-- Events about a message that we do not know, or not yet.
CREATE TABLE orphans (
  id       INTEGER PRIMARY KEY,
  provider INTEGER NOT NULL,
  received INTEGER NOT NULL,
  hash     INTEGER NOT NULL, -- of the provider's message id
  digest   BLOB NOT NULL UNIQUE,
  event    BLOB NOT NULL,    -- JSON
  sum      INTEGER NOT NULL
) STRICT;
CREATE INDEX orphans_hash ON orphans (hash);

CREATE TABLE inbound (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  provider  INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  received  INTEGER NOT NULL,
  state     INTEGER NOT NULL, -- 0 new, 1 claimed, 2 answered
  first     INTEGER NOT NULL,
  attempt   INTEGER,          -- what it answers
  cart      INTEGER NOT NULL, -- 1 for an order
  hash      BLOB NOT NULL UNIQUE,
  event     BLOB NOT NULL,    -- JSON
  sum       INTEGER NOT NULL
) STRICT;
CREATE INDEX inbound_open ON inbound (state, id) WHERE state < 2;
CREATE INDEX inbound_who ON inbound (recipient);
CREATE INDEX inbound_cart ON inbound (cart) WHERE cart = 1;

CREATE TABLE notices (
  id       INTEGER PRIMARY KEY,
  provider INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  field    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  raw      BLOB NOT NULL,
  sum      INTEGER NOT NULL
) STRICT;

CREATE TABLE findings (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  attempt INTEGER NOT NULL, -- 0 for none
  detail  TEXT NOT NULL,
  sum     INTEGER NOT NULL,
  UNIQUE (kind, attempt, detail)
) STRICT;

-- What operators decided.
CREATE TABLE decisions (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  who    TEXT NOT NULL,
  what   TEXT NOT NULL,
  why    TEXT NOT NULL,
  sum    INTEGER NOT NULL
) STRICT;
