-- What is known of the products of managed catalogs.
CREATE TABLE products (
  id       INTEGER PRIMARY KEY,
  catalog  TEXT NOT NULL, -- the account's id of it
  retailer TEXT NOT NULL, -- the product's id
  digest   TEXT NOT NULL, -- of what is declared, as the catalog has it
  review   TEXT NOT NULL, -- "approved", …
  sum      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX products_retailer ON products (catalog, retailer);
