provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  exclude    = [audience.staff]
  attributes = { name = row.name }
}

audience "staff" {
  contact "+14155550102" {
    name = "Grace"
  }
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
