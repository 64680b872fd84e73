provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

list_message "menu" {
  body   = "What would you like?"
  button = "See everything that we have"

  section "Drinks" {
    row "tea" {
      title = "Tea"
    }
    row "tea" {
      title = "A very long name for a cup of tea"
    }
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.menu
  window   = "assume_open"
}
