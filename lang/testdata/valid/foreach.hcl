variable "languages" { default = { de = "Hallo", es = "Hola" } }

locals {
  menus = [for k, m in list_message.menu : m.address]
  home  = "de"
}

catalog "shop" {
  for_each = { de = "111", es = "222" }
  id       = each.value
  product "a" { title = "A ${each.key}" }
  product "b" {}
}

provider "sandbox" "main" {
  for_each = { de = 1, es = 2 }
  seed     = each.value
}

list_message "menu" {
  for_each = var.languages
  body     = "${each.value} ${recipient.name}"
  button   = each.value
  section "S" {
    row "a" { title = each.key }
  }
}

product_list_message "products" {
  for_each = catalog.shop
  catalog  = each.value
  header   = "H"
  body     = "B"
  section "S" {
    products = catalog.shop[each.key].products
  }
}

audience "people" {
  for_each = toset(keys(var.languages))
  source "csv" { path = "${each.key}.csv" }
  attributes = { name = row.name }
  exclude    = [audience.out]
}

audience "out" {
  source "csv" { path = "out.csv" }
}

campaign "spring" {
  for_each = audience.people
  provider = provider.sandbox.main[each.key]
  audience = each.value
  message  = list_message.menu[each.key]
}

campaign "home" {
  provider = provider.sandbox.main["de"]
  audience = audience.people[local.home]
  message  = list_message.menu[local.home]
}

reply_rule "menu" {
  for_each = list_message.menu
  provider = provider.sandbox.main[each.key]
  when {
    list_reply = list_message.menu[each.key]
    row        = "a"
  }
  reply    = text_message.thanks
  values   = { key = each.key }
  cooldown = "1m"
}

text_message "thanks" { body = "Thanks, ${value.key}" }

text_message "none" {
  for_each = {}
  body     = "x"
}

data "template" "otp" {
  for_each = toset(["de", "es"])
  provider = provider.sandbox.main[each.key]
  name     = "otp_${each.key}"
}

moved {
  from = campaign.spring
  to   = campaign.spring["de"]
}

check "all" {
  assert {
    condition     = plan.campaign.spring["de"].send > 0 && length([for k, c in plan.campaign : c.send]) == 3
    error_message = "nobody"
  }
}
