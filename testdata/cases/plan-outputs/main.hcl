variable "slogan" {
  type    = string
  default = "<b>Früh & frisch</b>"
}

provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}

output "slogan" {
  value = var.slogan
}

output "facts" {
  value = { recipients = plan.campaign["spring"].recipients, rate = 0.1, large = 12345678901234567890, list = [true, null] }
}

output "secret" {
  value     = "open sesame"
  sensitive = true
}
