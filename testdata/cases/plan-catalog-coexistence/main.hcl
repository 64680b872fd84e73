provider "sandbox" "main" {
  url = env("SANDBOX")
}

catalog "shop" {
  id       = "881"
  products = csv("products.csv")
  manage { provider = provider.sandbox.main }
}

text_message "hello" {
  body = "Hello ${recipient.name}!"
}

product_message "bell" {
  catalog = catalog.shop
  product = catalog.shop.products["bell"]
  body    = "Hello ${recipient.name}, this is new."
}

audience "regulars" {
  source "csv" { path = "contacts.csv" }
  phone        = row.phone
  attributes   = { name = row.name }
  last_inbound = row.wrote
}

campaign "news" {
  provider = provider.sandbox.main
  audience = audience.regulars
  message  = text_message.hello
}
