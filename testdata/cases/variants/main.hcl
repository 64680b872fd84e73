provider "sandbox" "main" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  consent    = true
  attributes = { name = row.name, language = row.language }
  optional   = ["language"]
}

locals {
  hello = { en = "Hello", de = "Hallo", pt = "Olá", fr = "Bonjour" }
}

text_message "hello" {
  for_each = local.hello
  body     = "${each.value} ${recipient.name}, spring is here."
}

template_message "reopen" {
  for_each = { en = "en", pt = "pt_BR" }
  template = "reopen"
  language = each.value
  body     = [recipient.name]
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello["en"]
  fallback = template_message.reopen["en"]
  window   = "assume_open"

  variant "de" {
    when    = recipient.language == "de"
    message = text_message.hello["de"]
  }

  variant "pt" {
    when     = startswith(recipient.language, "pt")
    message  = text_message.hello["pt"]
    fallback = template_message.reopen["pt"]
  }

  variant "fr" {
    when    = contains(["fr", "fr-CA"], recipient.language)
    message = text_message.hello["fr"]
  }
}

output "portuguese" {
  value = plan.campaign.spring.variant["pt"].recipients
}
