provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

data "template" "order" {
  provider = provider.sandbox.main
  name     = "order"
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  consent = true
}

template_message "order" {
  template = data.template.order
  language = "en"
}

text_message "hello" { body = "Hello!" }

campaign "order" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.order
  price_guard { max = "0.50 EUR" }
}

campaign "hello" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
