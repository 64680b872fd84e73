provider "sandbox" "main" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  filter     = row.market == "de"
  attributes = { name = row.name }
}

list_message "menu" {
  body   = "Hallo ${recipient.name}, what shall it be?"
  button = "Choose"
  section "Dishes" {
    row "soup" { title = "Soup" }
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = list_message.menu
  window   = "assume_open"
}
