variable "url" {}

provider "sandbox" "main" {
  url = var.url
}

template "there_same" {
  provider = provider.sandbox.main
  category = "utility"
  translation "en" { body = "Hello there." }
  translation "de" { body = "Hallo." }
}

template_message "hello" {
  template = template.there_same
  language = "en"
}

audience "people" {
  contact "+4915112345601" {}
  consent = true
}

campaign "hello" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.hello
}
