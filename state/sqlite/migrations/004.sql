-- The tables are those of format 3. What is kept of people changes: see
-- joinSpellings.
PRAGMA user_version = 4;
