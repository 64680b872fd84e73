provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

provider "sandbox" "kaleyra" {
  url  = env("SANDBOX")
  wire = "kaleyra"
}

data "template" "ready" {
  provider = provider.sandbox.main
  name     = "order_ready"
}

data "template" "misspelt" {
  provider = provider.sandbox.main
  name     = "order_redy"
}

data "template" "rejected" {
  provider = provider.sandbox.main
  name     = "sale"
}

data "template" "unlisted" {
  provider = provider.sandbox.kaleyra
  name     = "order_ready"
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = true
}

template_message "no_such_language" {
  template = data.template.ready
  language = "en_GB"
  body     = [recipient.name]
}

template_message "other_shape" {
  template = data.template.ready
  language = "en_US"
  category = "utility"
  body     = { name = recipient.name }

  button "2" {
    type = "url"
    text = "spring"
  }
}

template_message "refused" {
  template = data.template.rejected
  language = "en_US"
}

template_message "misspelt" {
  template = data.template.misspelt
  language = "en_US"
}

template_message "unlisted" {
  template = data.template.unlisted
  language = "en_US"
}

campaign "language" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.no_such_language
}

campaign "shape" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.other_shape
}

campaign "refused" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.refused
}

campaign "misspelt" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.misspelt
}

campaign "unlisted" {
  provider = provider.sandbox.kaleyra
  audience = audience.customers
  message  = template_message.unlisted
}
