-- Several servers answer at one number. Each has a lane with a limit, and what it
-- has taken up and what it sends are its lane's.

ALTER TABLE attempts ADD lane bigint NOT NULL DEFAULT 0; -- 0 for an unknown one
CREATE INDEX attempts_lane ON attempts (lane) WHERE run = 0;

ALTER TABLE inbound ADD lane bigint; -- of the server that took it up; none where nobody did
CREATE INDEX inbound_lane ON inbound (lane) WHERE lane IS NOT NULL AND NOT answered;

-- Events that rules hand to services.
CREATE TABLE forwards (
  event    bigint NOT NULL, -- of inbound
  rule     text NOT NULL,
  attempts integer NOT NULL,
  due      bigint NOT NULL, -- when it is tried next
  reason   text NOT NULL,   -- why the last attempt failed
  dead     boolean NOT NULL, -- it was given up
  owner    text,            -- who tries it
  until    timestamptz,     -- when it is free for others
  PRIMARY KEY (event, rule)
);
CREATE INDEX forwards_due ON forwards (due) WHERE NOT dead;

INSERT INTO forwards
  SELECT (f->>'seq')::bigint, f->>'rule', (f->>'attempts')::integer, greatest(0, extract(epoch FROM (f->>'next')::timestamptz) * 1000)::bigint, coalesce(f->>'reason', ''), dead
  FROM (SELECT convert_from(data, 'UTF8')::json AS f, name LIKE 'forward\_dead/%' AS dead FROM blobs WHERE name LIKE 'forward/%' OR name LIKE 'forward\_dead/%') kept
  ORDER BY dead
  ON CONFLICT DO NOTHING;
DELETE FROM blobs WHERE name LIKE 'forward/%' OR name LIKE 'forward\_dead/%';
