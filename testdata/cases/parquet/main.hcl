# leads.parquet was written by DuckDB.
provider "sandbox" "main" {}

audience "leads" {
  source "parquet" { path = "leads.parquet" }
  filter       = row.opted_in
  region       = "DE"
  attributes   = { name = row.name, balance = row.balance }
  optional     = ["balance"]
  last_inbound = row.seen
}

text_message "hello" {
  body = "Hello ${recipient.name}, you have ${coalesce(recipient.balance, 0)} EUR."
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.leads
  message    = text_message.hello
  window     = "assume_open"
  on_invalid = "skip"
}
