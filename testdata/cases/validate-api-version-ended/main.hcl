provider "cloud" "old" {
  phone_number_id = "106540352242922"
  access_token    = env("TOKEN")
  api_version     = "v17.0"
}

provider "cloud" "new" {
  phone_number_id = "106540352242923"
  access_token    = env("TOKEN")
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
}

text_message "hello" {
  body = "Spring is here."
}

campaign "spring" {
  provider = provider.cloud.old
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}
