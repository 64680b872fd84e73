# A job for pull requests from forks has no secrets: it validates and plans.
provider "cloud" "main" {
  phone_number_id = "106540352242922"
  access_token    = env("FLOWERS_ACCESS_TOKEN")
  app_secret      = "${env("FLOWERS_APP_SECRET")}"
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, the tulips are here."
}

campaign "spring" {
  provider = provider.cloud.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
