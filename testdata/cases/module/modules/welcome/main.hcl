variable "number" {
  type        = reference(provider)
  description = "The number to send through."
}

variable "shop" {
  type = reference(catalog)
}

variable "dishes" {
  type = map(string)
  validation {
    condition     = length(var.dishes) <= 10
    error_message = "A list has 10 rows at most."
  }
}

variable "contact" {
  type = object({
    file   = string
    region = optional(string, "DE")
  })
}

locals {
  greeting = "Welcome"
}

module "signature" {
  source = "./signature"
  name   = "${local.greeting} team"
}

audience "people" {
  source "csv" { path = var.contact.file }
  region     = var.contact.region
  consent    = row.opted_in == "yes"
  attributes = { name = row.name }
}

list_message "menu" {
  header = file("${path.module}/header.txt")
  body   = "${local.greeting}, ${recipient.name}! ${value.question}\n${module.signature.text}"
  button = "Choose"

  section "Dishes" {
    dynamic "row" {
      for_each = var.dishes
      labels   = [row.key]
      content {
        title = row.value
      }
    }
  }
}

product_message "pie" {
  catalog = var.shop
  product = var.shop.products["pie"]
  body    = "Have you tried it, ${recipient.name}?"
}

campaign "hello" {
  provider = var.number
  audience = audience.people
  message  = list_message.menu
  values   = { question = "What shall it be?" }
  window   = "assume_open"
}

reply_rule "dish" {
  when { list_reply = list_message.menu }
  reply  = text_message.thanks
  values = { dish = inbound.reply_id }
}

text_message "thanks" {
  body = "One ${value.dish}.\n${module.signature.text}"
}

check "own" {
  assert {
    condition     = plan.campaign.hello.send <= 3 && keys(plan.campaign) == ["hello"]
    error_message = "A module sees its own campaigns only, here ${join(", ", keys(plan.campaign))}."
  }
}

output "people" {
  value = audience.people
}

output "product" {
  value = product_message.pie
}

output "messages" {
  value = plan.campaign.hello.messages
}

output "signature" {
  value = module.signature.text
}
