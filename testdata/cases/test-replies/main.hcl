provider "sandbox" "main" {}

list_message "browse" {
  body   = "What may we show you, ${recipient.name}?"
  button = "View"

  section "Featured" {
    row "alpha" { title = "Alpha Widget" }
    row "beta" { title = "Beta Widget" }
  }
}

text_message "price" {
  body = "${value.title} is ${value.price} today, ${coalesce(recipient.name, "friend")}."
}

button_message "help" {
  body = "How may we help?"

  button "person" { title = "A person, please" }
  button "hours" { title = "Opening hours" }
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  consent    = true
  attributes = { name = row.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.browse
}

reply_rule "price" {
  when { list_reply = list_message.browse }

  lookup "shop" {
    url = "https://shop.example.com/items/${inbound.reply_id}"
  }

  values = { title = inbound.text, price = lookup.shop.price }
  reply  = text_message.price
  set    = { interest = inbound.reply_id }

  forward { url = "https://crm.example.com/taps" }
}

reply_rule "person" {
  when {
    button_reply = button_message.help
    payload      = "person"
  }
  handover = true
}

reply_rule "hours" {
  priority = 5

  when { text = "(?i)\\bopen (?:on )?(?P<day>\\w+day)\\b" }

  reply = text_message.hours
  set   = { asked = lower(match.day) }
}

reply_rule "help" {
  cooldown = "1h"

  when { text = "(?i)help|open" }

  reply = button_message.help
}
