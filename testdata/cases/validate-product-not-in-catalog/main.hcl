provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

catalog "shop" {
  id = "194836987003835"
  product "mug" {
    title        = "Mug"
    availability = "out of stock"
  }
}

product_list_message "picks" {
  catalog = catalog.shop
  header  = "Our picks"
  body    = "For ${recipient.name}"

  section "Kitchen" {
    products = ["mug", "mugg"]
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = product_list_message.picks
  window   = "assume_open"
}
