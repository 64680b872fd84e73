provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}

provider "onemsg" "main" {
  channel_id = "ABC123"
  token      = env("ONEMSG_TOKEN")
}

provider "kaleyra" "main" {
  sid          = "HXAP16"
  api_key      = env("KALEYRA_KEY")
  phone_number = "+914400000000"
}

provider "dialog360" "main" {
  api_key = env("D360_KEY")
}

provider "cloud" "main" {
  phone_number_id = "1234567890"
  access_token    = env("CLOUD_TOKEN")
}
