variable "number" { type = reference(provider) }
variable "texts" {
  type = object({ greeting = string, button = optional(string, "Open") })
}
variable "people" {
  type    = list(reference(audience))
  default = []
}

locals {
  body = "${var.texts.greeting} ${path.module} ${path.root}"
}

text_message "hello" {
  for_each = toset(["a", "b"])
  body     = "${local.body} ${each.key}"
}

audience "rest" {
  contact "+4915112345602" { name = "Bea" }
  exclude = [var.people[0]]
}

campaign "hello" {
  provider = var.number
  audience = audience.rest
  message  = text_message.hello["a"]
}

moved {
  from = campaign.old
  to   = campaign.hello
}

output "hello" { value = text_message.hello }
output "rest" { value = { audience = audience.rest } }
