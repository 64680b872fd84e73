provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

list_message "menu" {
  body   = "Hello ${recipient.name}"
  button = "See"

  section "Drinks" {
    row "tea" {
      title = "Tea"
    }
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.menu
  window   = "assume_open"
}
