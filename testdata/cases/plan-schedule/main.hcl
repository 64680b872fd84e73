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

  schedule {
    not_before  = "2026-03-02T11:00:00Z"
    not_after   = "2026-03-09T18:00:00Z"
    quiet_hours = "20:00-09:00"
    timezone    = "Europe/Berlin"
  }
}
