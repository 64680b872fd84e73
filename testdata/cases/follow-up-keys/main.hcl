locals {
  markets = { de = "Hallo", es = "Hola" }
}

provider "sandbox" "main" { url = env("SANDBOX") }

audience "people" {
  for_each = local.markets
  source "csv" { path = "${each.key}.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  for_each = local.markets
  body     = "${each.value} ${recipient.name}"
}

text_message "question" { body = "${recipient.name}, any questions?" }

campaign "spring" {
  for_each = local.markets
  provider = provider.sandbox.main
  audience = audience.people[each.key]
  message  = text_message.hello[each.key]
  window   = "assume_open"
}

# A follow-up for each market ...
audience "read" {
  for_each = local.markets
  source "campaign" {
    of     = campaign.spring[each.key]
    filter = row.read
  }
  attributes = { name = row.attributes.name }
}

campaign "question" {
  for_each = local.markets
  provider = provider.sandbox.main
  audience = audience.read[each.key]
  message  = text_message.question
  window   = "assume_open"
}

# ... and a module that follows up whatever campaign it is given.
module "chain" {
  source = "./chain"
  number = provider.sandbox.main
  of     = campaign.spring["de"]
}

# What follows a module's campaign.
audience "last" {
  source "campaign" { of = module.chain.sent }
}

campaign "last" {
  provider = provider.sandbox.main
  audience = audience.last
  message  = text_message.bye
  window   = "assume_open"
}

text_message "bye" { body = "That was the last one." }
