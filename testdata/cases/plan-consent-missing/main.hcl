provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

template_message "reopen" {
  template = "spring_reopen"
  language = "en"
  body     = [recipient.name]
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.reopen
}
