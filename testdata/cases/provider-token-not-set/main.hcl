provider "cloud" "main" {
  phone_number_id = "1"
  access_token    = env("CLOUD_TOKEN")
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider = provider.cloud.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
