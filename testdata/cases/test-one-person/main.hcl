provider "sandbox" "shop" {}

audience "by_number" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

audience "by_id" {
  source "csv" { path = "ids.csv" }
  user_id    = row.id
  attributes = { name = row.name }
}

audience "both" {
  source "csv" { path = "both.csv" }
  phone      = row.phone
  user_id    = row.id
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}."
}

campaign "numbers" {
  provider = provider.sandbox.shop
  audience = audience.by_number
  message  = text_message.hello
  window   = "assume_open"
}

campaign "ids" {
  provider = provider.sandbox.shop
  audience = audience.by_id
  message  = text_message.hello
  window   = "assume_open"
}

campaign "everybody" {
  provider = provider.sandbox.shop
  audience = audience.both
  message  = text_message.hello
  window   = "assume_open"
}
