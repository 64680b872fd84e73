provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = true
}

template_message "hello" {
  template = template.spring
  language = "en"
  body     = { name = recipient.name }
}

campaign "hello" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.hello
}
