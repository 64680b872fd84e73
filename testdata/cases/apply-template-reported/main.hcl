provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

template "market" {
  for_each   = { de = "Hallo", at = "Servus" }
  provider   = provider.sandbox.main
  name       = "market_${each.key}"
  category   = "marketing"
  parameters = { name = "Ana" }

  translation "de" { body = "${each.value} {{name}}, der Markt ist offen." }
  translation "en_US" { body = "Hello {{name}}, the market is open." }
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = row.opted_in == "yes"
}

template_message "hello" {
  template = template.market["de"]
  language = "en_US"
  body     = { name = recipient.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.hello
}
