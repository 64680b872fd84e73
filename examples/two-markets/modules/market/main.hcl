# The spring campaign of one market.

variable "number" {
  type        = reference(provider)
  description = "The number that sends."
}

variable "contacts" {
  type        = string
  description = "A CSV file with phone, name and opted_in."
}

variable "region" {
  type = string
}

variable "texts" {
  type = object({ greeting = string, invite = string, button = string })

  validation {
    condition     = length(var.texts.button) <= 20
    error_message = "WhatsApp shows 20 characters of a list's button."
  }
}

audience "people" {
  source "csv" { path = var.contacts }
  region     = var.region
  consent    = row.opted_in == "yes"
  attributes = { name = row.name }
}

list_message "menu" {
  body   = "${var.texts.greeting} ${recipient.name}! ${var.texts.invite}"
  button = var.texts.button

  section "Menu" {
    row "soup" { title = "Gazpacho" }
    row "pie" { title = "Quiche" }
  }
}

campaign "spring" {
  provider = var.number
  audience = audience.people
  message  = list_message.menu
  window   = "assume_open"
}

output "messages" {
  value = plan.campaign.spring.messages
}
