variable "number" { type = reference(provider) }
variable "news" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, ${var.news}."
}

campaign "spring" {
  provider = var.number
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
