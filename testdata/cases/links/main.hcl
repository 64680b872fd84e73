provider "sandbox" "main" { url = env("SANDBOX") }

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = true
}

locals { base = "https://go.example.com" }

link "shop" {
  url  = "https://shop.example/spring?utm_source=whatsapp&utm_campaign=${value.context}"
  base = local.base
}

link "help" {
  for_each = { de = "hilfe", en = "help" }
  url      = "https://shop.example/${each.value}"
  base     = "${local.base}/h/"
}

list_message "browse" {
  body   = "${recipient.name}, see the offers: ${link.shop}. Questions? ${startswith(recipient.phone, "+49") ? link.help["de"] : link.help["en"]}"
  button = "Offers"
  section "Spring" {
    row "tulips" { title = "Tulips" }
  }
}

link_message "page" {
  body   = "${recipient.name}, the spring catalog is here."
  button = "Open"
  url    = link.shop
}

template_message "reopen" {
  template = "spring"
  language = "en_US"
  body     = [recipient.name]
  button "0" {
    type = "url"
    text = link.shop.suffix
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = list_message.browse
  values   = { context = "spring" }
  window   = "assume_open"
}

campaign "page" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = link_message.page
  fallback = template_message.reopen
  values   = { context = "page" }
  window   = "assume_open"
}

# Who has it, and did not look at the shop.
audience "unmoved" {
  source "campaign" {
    of     = campaign.spring
    filter = !row.clicked
  }
  attributes = { since = row.sent_at }
}

text_message "again" { body = "The offers end today: ${link.shop}" }

text_message "short" { body = "Ends today: ${link.shop}" }

campaign "reminder" {
  provider = provider.sandbox.main
  audience = audience.unmoved
  values   = { context = "reminder" }
  window   = "assume_open"

  experiment {
    arm "long" {
      weight  = 50
      message = text_message.again
    }
    arm "short" {
      weight  = 50
      message = text_message.short
    }
    metric = "clicked"
    within = "24h"
  }
}
