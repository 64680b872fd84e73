provider "sandbox" "main" {}

text_message "news" {
  body = "News for ${recipient.name}."
}

template_message "news" {
  template = "news"
  language = "en"
  category = "marketing"
  body     = [recipient.name]
}

audience "customers" {
  contact "+4915112345601" { name = "Ada" }
  contact "+4915112345602" { name = "Bob" }
  contact "+4915112345603" { name = "Cy" }
  contact "+4915112345604" { name = "Dee" }
  contact "+4915112345605" { name = "Eve" }
  consent = true
}

campaign "news" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.news
  fallback = template_message.news
}
