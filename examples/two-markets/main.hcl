# One campaign for two markets: what both have stands once, in modules/market, and
# what differs is passed to it. A third market is one more line in locals.

provider "sandbox" "main" {}

locals {
  markets = {
    de = { region = "DE", greeting = "Hallo", invite = "Der Frühling ist da. Was darf es sein?", button = "Zur Karte" }
    es = { region = "ES", greeting = "Hola", invite = "Ya es primavera. ¿Qué te apetece?", button = "Ver carta" }
  }
}

module "market" {
  source   = "./modules/market"
  for_each = local.markets

  number   = provider.sandbox.main
  contacts = "contacts-${each.key}.csv"
  region   = each.value.region
  texts    = each.value
}

check "small_first" {
  assert {
    condition     = sum([for market in keys(local.markets) : plan.module.market[market].campaign.spring.messages]) <= 100
    error_message = "The first round is for 100 people at most."
  }
}

output "messages" {
  value = module.market["de"].messages + module.market["es"].messages
}
