provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  user_id      = row.user_id
  last_inbound = row.last_seen
  attributes   = { name = title(row["First name"]), city = row.city, full = "${row["First name"]} ${row.surname}" }
}

text_message "hello" {
  body = "Hello ${recipient.name}, see you in ${coalesce(recipient.city, "town")}."
}

text_message "formal" {
  body = "Dear ${recipient.full}"
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.customers
  message    = text_message.hello
  window     = "assume_open"
  on_invalid = "skip"
}

campaign "formal" {
  provider   = provider.sandbox.main
  audience   = audience.customers
  message    = text_message.formal
  window     = "assume_open"
  on_invalid = "skip"
}
