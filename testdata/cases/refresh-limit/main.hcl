provider "cloud" "shop" {
  phone_number_id = "106540352242922"
  access_token    = env("TOKEN")
  base_url        = "${env("SANDBOX")}/cloud"
}

provider "cloud" "service" {
  phone_number_id = "106540352242923"
  access_token    = env("TOKEN")
  base_url        = "${env("SANDBOX")}/cloud"
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  consent = true
}

template_message "spring" {
  template = "spring"
  language = "en"
}

campaign "spring" {
  provider = provider.cloud.shop
  audience = audience.customers
  message  = template_message.spring
}

campaign "survey" {
  provider = provider.cloud.service
  audience = audience.customers
  message  = template_message.spring
}
