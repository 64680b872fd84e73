provider "sandbox" "main" {}

catalog "shop" {
  id = "194836987003835"
  product "pie" { title = "Pie" }
}

locals {
  greeting = "from the caller: a module does not see it"
}

module "welcome" {
  source  = "./modules/welcome"
  number  = provider.sandbox.main
  shop    = catalog.shop
  dishes  = { soup = "Soup", pie = catalog.shop.products["pie"].title }
  contact = { file = "contacts.csv" }
}

# What a module gives back may be a reference.
campaign "again" {
  provider = provider.sandbox.main
  audience = module.welcome.people
  message  = module.welcome.product
  window   = "assume_open"
}

output "messages" {
  value = module.welcome.messages
}

output "signature" {
  value = module.welcome.signature
}

check "few" {
  assert {
    condition     = module.welcome.messages <= 3 && plan.total.messages <= 6
    error_message = "too many"
  }
}
