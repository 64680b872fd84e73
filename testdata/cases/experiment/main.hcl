provider "sandbox" "main" { url = env("SANDBOX") }

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, language = row.language }
}

text_message "short" {
  for_each = { en = "Spring is here", de = "Der Frühling ist da" }
  body     = "${each.value}, ${recipient.name}!"
}

text_message "long" {
  for_each = { en = "spring is here, and everything is ten percent off", de = "der Frühling ist da, und alles kostet zehn Prozent weniger" }
  body     = "${recipient.name}, ${each.value}. Answer with an emoji!"
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  window   = "assume_open"

  variant "de" {
    when    = recipient.language == "de"
    message = text_message.short["de"]
  }

  experiment {
    arm "short" {
      weight  = 40
      message = text_message.short["en"]
      variant "de" { message = text_message.short["de"] }
    }
    arm "long" {
      weight  = 40
      message = text_message.long["en"]
      variant "de" { message = text_message.long["de"] }
    }
    holdout = 20
    metric  = "replied"
    within  = "72h"
  }
}
