-- Which of a campaign's texts an attempt sends, and the recipient's attributes as
-- JSON, where an audience reads what became of the campaign; '' for none.
ALTER TABLE attempts
  ADD COLUMN arm        text  NOT NULL DEFAULT '',
  ADD COLUMN variant    text  NOT NULL DEFAULT '',
  ADD COLUMN attributes bytea NOT NULL DEFAULT '';

-- Who is held out (5) is never sent to.
CREATE OR REPLACE FUNCTION attempts_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
    WHERE a.campaign = new.campaign AND a.revision = new.revision AND a.person = new.person
      AND NOT a.ordered AND (o.send IS NULL OR o.send IN (2, 4, 5))) THEN
    RAISE unique_violation USING MESSAGE = 'this delivery is open, accepted, in doubt or held out already';
  END IF;
  RETURN new;
END $$;
CREATE OR REPLACE FUNCTION outcomes_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.send IN (2, 5) AND new.send <> old.send THEN
    RAISE check_violation USING MESSAGE = 'a delivery that is accepted or held out stays so';
  END IF;
  RETURN new;
END $$;
