variable "number" { type = reference(provider) }
variable "of" { type = reference(campaign) }

audience "unread" {
  source "campaign" {
    of     = var.of
    filter = row.delivered && !row.read
    after  = "1h"
  }
  attributes = { first_name = row.attributes.name }
}

text_message "again" { body = "${recipient.first_name}, did you see it?" }

campaign "again" {
  provider = var.number
  audience = audience.unread
  message  = text_message.again
  window   = "assume_open"
}

output "sent" { value = campaign.again }
