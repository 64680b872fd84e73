-- Which of a campaign's texts an attempt sends, and the recipient's attributes,
-- where an audience reads what became of the campaign.
CREATE TABLE choices (
  id         INTEGER PRIMARY KEY, -- of the attempt
  arm        TEXT,
  variant    TEXT,
  attributes TEXT, -- a JSON object
  sum        INTEGER NOT NULL
) STRICT;

-- Who is held out (5) is never sent to.
DROP TRIGGER attempts_once;
CREATE TRIGGER attempts_once BEFORE INSERT ON attempts
WHEN EXISTS (
  SELECT 1 FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
  WHERE a.recipient = new.recipient AND a.campaign = new.campaign AND a.revision = new.revision
    AND (o.send IS NULL OR o.send IN (2, 4, 5))
    AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.id = a.id))
BEGIN SELECT RAISE(ABORT, 'this delivery is open, accepted, in doubt or held out already'); END;

DROP TRIGGER outcomes_final;
CREATE TRIGGER outcomes_final BEFORE INSERT ON outcomes
WHEN EXISTS (SELECT 1 FROM outcomes WHERE id = new.id AND send IN (2, 5) AND new.send <> send)
BEGIN SELECT RAISE(ABORT, 'a delivery that is accepted or held out stays so'); END;
