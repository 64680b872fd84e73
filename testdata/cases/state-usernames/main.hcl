provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
}

text_message "hello" {
  body = "Spring is here."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
