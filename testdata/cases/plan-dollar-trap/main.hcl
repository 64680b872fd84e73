provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

variable "price" {
  type    = number
  default = 20
}

text_message "hello" {
  body = "Hello ${recipient.name}, now only $${var.price}!"
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
