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

variable "limit" {
  type    = number
  default = 3
}

check "size" {
  assert {
    condition     = plan.campaign["spring"].send <= var.limit
    error_message = "This would send to ${plan.campaign["spring"].send} people, and ${var.limit} were agreed on."
  }
}
