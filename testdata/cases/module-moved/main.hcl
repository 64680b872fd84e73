provider "sandbox" "main" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, all is new."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
