provider "sandbox" "main" {}

audience "shop" {
  source "csv" { path = "shop.csv" }
  last_inbound = row.seen
}

audience "store" {
  source "csv" { path = "store.csv" }
  last_inbound = parsetime(row.seen, "DD/MM/YYYY hh:mm", "excel", "Europe/Berlin")
}

text_message "hello" {
  body = "Hello, spring is here."
}

campaign "shop" {
  provider   = provider.sandbox.main
  audience   = audience.shop
  message    = text_message.hello
  on_invalid = "skip"
}

campaign "store" {
  provider   = provider.sandbox.main
  audience   = audience.store
  message    = text_message.hello
  on_invalid = "skip"
}
