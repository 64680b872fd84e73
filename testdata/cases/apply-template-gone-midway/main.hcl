provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

data "template" "otp" {
  provider = provider.sandbox.main
  name     = "login_code"
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = row.opted_in == "yes"
}

template_message "code" {
  template = data.template.otp
  language = "en_US"
  body     = { first_name = recipient.name }

  button "0" {
    type = "url"
    text = "spring"
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.code
}
