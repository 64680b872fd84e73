provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  last_inbound = row.last_seen
  consent      = row.opted_in == "yes"
  attributes   = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
}
