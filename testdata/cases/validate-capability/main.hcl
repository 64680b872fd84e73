provider "onemsg" "main" {
  channel_id = "ABC123"
  token      = env("ONEMSG_TOKEN")
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

catalog_message "book" {
  body = "See what we have"
}

list_message "menu" {
  header = "Menu"
  body   = "What would you like?"
  button = "See"

  section "Drinks" {
    row "tea" {
      title = "Tea"
    }
  }
}

campaign "spring" {
  provider = provider.onemsg.main
  audience = audience.customers
  message  = catalog_message.book
  window   = "assume_open"
}

campaign "menu" {
  provider = provider.onemsg.main
  audience = audience.customers
  message  = list_message.menu
  window   = "assume_open"
}
