provider "sandbox" "main" {}

audience "friends" {
  contact "+4915112345601" {
    name = "Ada"
    tier = "gold"
  }
  contact "+14155550102" {
    name = "Grace"
    tier = "silver"
  }
  filter     = row.tier == "gold"
  attributes = { name = row.name }
}

text_message "hello" {
  body = "Hello ${recipient.name}, spring is here."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.friends
  message  = text_message.hello
  window   = "assume_open"
}
