# A journey in two markets and three languages: two texts of which one shall win, one
# in ten who gets nothing, to compare with, and a reminder for who says nothing.
#
#   make demo-lifecycle
#
# plays it with the simulated network, the webhook server, people who answer, and an
# "apply -watch" that sends the reminders when they are due, in half a minute.

variable "within" {
  type        = string
  default     = "72h"
  description = "For how long after a message an answer counts."
}

variable "remind_after" {
  type        = string
  default     = "48h"
  description = "How long after the first message was delivered the reminder goes out."
}

provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

locals {
  markets = {
    de = { region = "DE" }
    es = { region = "ES" }
  }
  short = {
    en = "Spring is here, NAME! Reply with an emoji."
    de = "Der Frühling ist da, NAME! Antworte mit einem Emoji."
    es = "¡Ya es primavera, NAME! Responde con un emoji."
  }
  question = {
    en = "NAME, which flower do you like best: tulip, rose or lily?"
    de = "NAME, welche Blume magst du am liebsten: Tulpe, Rose oder Lilie?"
    es = "NAME, ¿qué flor te gusta más: tulipán, rosa o lirio?"
  }
}

text_message "short" {
  for_each = local.short
  body     = replace(each.value, "NAME", recipient.name)
}

text_message "question" {
  for_each = local.question
  body     = replace(each.value, "NAME", recipient.name)
}

# Two days later hardly anybody's 24-hour window is open.
template_message "reminder" {
  for_each = toset(["en", "de", "es"])
  template = "spring_reminder"
  language = each.key
  body     = [recipient.name]
}

audience "market" {
  for_each = local.markets
  source "csv" { path = "contacts-${each.key}.csv" }
  region       = each.value.region
  last_inbound = row.last_seen
  attributes   = { name = row.name, language = row.language, opted_in = row.opted_in }
}

campaign "spring" {
  for_each = local.markets
  provider = provider.sandbox.main
  audience = audience.market[each.key]
  message  = text_message.short["en"]

  variant "de" {
    when    = recipient.language == "de"
    message = text_message.short["de"]
  }

  variant "es" {
    when    = recipient.language == "es"
    message = text_message.short["es"]
  }

  experiment {
    arm "short" { weight = 45 }

    arm "question" {
      weight  = 45
      message = text_message.question["en"]
      variant "de" { message = text_message.question["de"] }
      variant "es" { message = text_message.question["es"] }
    }

    holdout = 10
    metric  = "replied"
    within  = var.within
  }
}

# Who has the message and says nothing. Who was held out has no row here.
audience "silent" {
  for_each = local.markets
  source "campaign" {
    of     = campaign.spring[each.key]
    filter = row.delivered && !row.replied
    after  = var.remind_after
  }
  consent    = row.attributes.opted_in == "yes"
  attributes = { name = row.attributes.name, language = row.attributes.language }
}

campaign "reminder" {
  for_each = local.markets
  provider = provider.sandbox.main
  audience = audience.silent[each.key]
  message  = template_message.reminder["en"]

  variant "de" {
    when    = recipient.language == "de"
    message = template_message.reminder["de"]
  }

  variant "es" {
    when    = recipient.language == "es"
    message = template_message.reminder["es"]
  }
}

check "few_enough" {
  assert {
    condition     = plan.total.messages <= 200
    error_message = "The first round is for 200 people at most, not ${plan.total.messages}."
  }
}
