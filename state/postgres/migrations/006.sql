-- The packed index: what was sent, in blocks (package packed). The rows stay the
-- truth; a block goes when one of its rows changes. It is sound because writers hold
-- the row of meta, so that no attempt gets an id between two that are there.
CREATE TABLE packed (
  campaign text NOT NULL,
  revision bigint NOT NULL,
  first    bigint NOT NULL, -- ids of attempts
  last     bigint NOT NULL,
  count    integer NOT NULL,
  names    text[], -- recipients that are no phone numbers
  facts    bytea NOT NULL,
  PRIMARY KEY (campaign, revision, first)
);
ALTER TABLE packed ALTER facts SET STORAGE EXTERNAL;

CREATE FUNCTION packed_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM changed) THEN
    DELETE FROM packed p WHERE EXISTS (SELECT FROM changed c WHERE c.id BETWEEN p.first AND p.last);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER attempts_changed AFTER UPDATE ON attempts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION packed_stale();
CREATE TRIGGER attempts_deleted AFTER DELETE ON attempts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION packed_stale();
CREATE TRIGGER outcomes_changed AFTER UPDATE ON outcomes REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION packed_stale();
