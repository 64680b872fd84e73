provider "sandbox" "main" { url = env("SANDBOX") }

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, city = row.city, note = row.note }
  optional   = ["city", "note"]
}

text_message "spring" { body = "${recipient.name}, the spring catalog is here." }

text_message "reminder" {
  body = "${recipient.name}, have you seen what is new in ${coalesce(recipient.city, "your town")}?"
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.spring
  window   = "assume_open"

  experiment {
    arm "all" { weight = 80 }
    holdout = 20
    metric  = "ordered"
    within  = "72h"
  }
}

# Who has it and said nothing in two days.
audience "silent" {
  source "campaign" {
    of     = campaign.spring
    filter = row.delivered && !row.replied
    after  = "48h"
  }
  attributes = { name = row.attributes.name, city = row.attributes.city, arm = row.arm }
  optional   = ["city"]
}

campaign "reminder" {
  provider = provider.sandbox.main
  audience = audience.silent
  message  = text_message.reminder
  window   = "assume_open"
}
