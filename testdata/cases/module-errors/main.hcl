provider "sandbox" "main" {}

locals {
  secret = "of the caller"
}

module "again" { source = "./loop" }
module "deep" {
  source = "./twice"
  name   = "Ada"
}
module "missing" { source = "./nowhere" }
module "git" { source = "git::https://git.example/welcome.git" }
module "registry" { source = "acme/welcome" }
module "computed" { source = "./${local.secret}" }
module "sourceless" { name = "Ada" }
module "settings" { source = "./settings" }
module "late" {
  source = "./late"
}
module "kinds" {
  source = "./kinds"
  number = text_message.hello
  any    = "hello"
  names  = "one"
  nmae   = "Ada"
}
module "repeated" {
  source   = "./late"
  for_each = ["a"]
}
module "first" {
  source = "./twice"
  name   = module.second.name
}
module "second" {
  source = "./twice"
  name   = module.first.name
}

text_message "hello" {
  body = "hello"
}

text_message "late" {
  body = module.late.planned
}

text_message "typo" {
  body = module.late.plannd
}

text_message "inside" {
  body = module.kinds.text_message.hello
}

campaign "whole" {
  provider = provider.sandbox.main
  audience = module.late
  message  = text_message.hello
}
