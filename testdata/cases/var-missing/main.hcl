provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

variable "word" {
  type        = string
  description = "How to greet."
}

text_message "hello" {
  body = "${var.word} ${recipient.name}"
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
