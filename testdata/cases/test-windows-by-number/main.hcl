provider "sandbox" "shop" {}

provider "sandbox" "service" {}

audience "everybody" {
  contact "+4915112345601" { name = "Ada" }
  contact "+4915112345602" { name = "Bob" }
}

text_message "hello" {
  body = "Hello ${recipient.name}."
}

campaign "from_shop" {
  provider = provider.sandbox.shop
  audience = audience.everybody
  message  = text_message.hello
}

campaign "from_service" {
  provider = provider.sandbox.service
  audience = audience.everybody
  message  = text_message.hello
}
