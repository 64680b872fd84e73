-- What is known of the products of managed catalogs.
CREATE TABLE products (
  catalog  text NOT NULL, -- the account's id of it
  retailer text NOT NULL, -- the product's id
  digest   text NOT NULL, -- of what is declared, as the catalog has it
  review   text NOT NULL, -- "approved", …
  PRIMARY KEY (catalog, retailer)
);
