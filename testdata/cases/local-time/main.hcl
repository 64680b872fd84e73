provider "sandbox" "main" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, timezone = row.timezone }
  optional   = ["timezone"]
}

text_message "hello" {
  body = "Good morning, ${recipient.name}!"
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"

  schedule {
    at          = "10:00"
    within      = "90m"
    timezone    = "recipient"
    quiet_hours = "20:00-09:00"
  }
}
