provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  exclude    = [audience.blocked]
  attributes = { name = row.name }
}

audience "blocked" {
  source "csv" { path = "blocked.csv" }
}


text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.customers
  message    = text_message.hello
  window     = "assume_open"
  on_invalid = "fail"
}

campaign "careless" {
  provider   = provider.sandbox.main
  audience   = audience.customers
  message    = text_message.hello
  window     = "assume_open"
  on_invalid = "skip"
}
