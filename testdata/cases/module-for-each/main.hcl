provider "sandbox" "main" {}

locals {
  markets = {
    de = { greeting = "Hallo", meals = ["lunch", "dinner"] }
    es = { greeting = "Hola", meals = ["lunch"] }
  }
}

module "market" {
  source   = "./market"
  for_each = local.markets
  number   = provider.sandbox.main
  people   = audience.market[each.key]
  meals    = each.value.meals
  greeting = each.value.greeting
}

audience "market" {
  for_each = local.markets
  source "csv" { path = "contacts.csv" }
  filter     = row.market == each.key
  attributes = { name = row.name }
}

output "planned" {
  value = { for market in ["de", "es"] : market => module.market[market].name }
}

output "lunch" {
  value = module.market["de"].lunch + module.market["es"].lunch
}
