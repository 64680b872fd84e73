variable "number" { type = reference(provider) }
variable "people" { type = reference(audience) }
variable "meals" { type = set(string) }
variable "greeting" { type = string }

text_message "meal" {
  for_each = var.meals
  body     = "${var.greeting} ${recipient.name}, time for ${each.key}."
}

campaign "spring" {
  for_each = var.meals
  provider = var.number
  audience = var.people
  message  = text_message.meal[each.key]
  window   = "assume_open"
}

output "name" {
  value = "${var.greeting}: ${join(", ", var.meals)}"
}

output "lunch" {
  value = try(plan.campaign.spring["lunch"].messages, 0)
}
