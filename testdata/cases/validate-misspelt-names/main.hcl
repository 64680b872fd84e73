provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.nmae}, ${vra.x} ${local.sprnig}"
}

locals {
  spring = "spring"
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.helo
  window   = "assume_open"
  throughputt = 3
}
