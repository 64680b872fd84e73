# A module, called once and for each, whose outputs are references too.
provider "sandbox" "main" {}

locals {
  greetings = { de = "Hallo", es = "Hola" }
}

audience "people" {
  contact "+4915112345601" { name = "Ada" }
}

module "one" {
  source = "./market"
  number = provider.sandbox.main
  texts  = { greeting = "Hello" }
  people = [audience.people]
}

module "each" {
  for_each = local.greetings
  source   = "./market/../market"
  number   = provider.sandbox.main
  texts    = { greeting = each.value, button = each.key }
  people   = [module.one.rest.audience]
}

campaign "spring" {
  for_each = module.each
  provider = provider.sandbox.main
  audience = module.one.rest.audience
  message  = each.value.hello["b"]
}

output "all" {
  value = [for key, m in module.each : m.hello["a"].name]
}
