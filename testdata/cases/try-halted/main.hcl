provider "sandbox" "main" {
  url = env("SANDBOX")
}

catalog "spring" {
  id = "194836987003835"
  product "prod_alpha" {
    title = "Alpha Widget"
    price = "19.90 EUR"
  }
  product "prod_beta" {
    title = "Beta Widget"
    price = "29.90 EUR"
  }
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  filter     = row.opted_in == "yes"
  consent    = true
  attributes = { name = row.name, city = row.city }
}

list_message "browse" {
  header = "Spring sale"
  body   = "Hello ${recipient.name}, what may we show you in ${recipient.city}?"
  footer = "Reply STOP to hear no more"
  button = "View catalog"

  section "Featured" {
    dynamic "row" {
      for_each = catalog.spring.products
      labels   = [row.key]
      content {
        title       = row.value.title
        description = row.value.price
      }
    }
  }

  section "Bundles" {
    row "bundle_starter" {
      title       = "Starter pack"
      description = "Two items included"
    }
    row "bundle_pro" {
      title       = "Pro pack"
      description = "Four items included"
    }
  }
}

text_message "hours" {
  body = "We are open from 9 to 18."
}

template_message "reopen" {
  template = "spring_reopen"
  language = "en"
  body     = [recipient.name]
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.browse
  fallback = template_message.reopen
  testers  = ["+4915112345699", "+989121110000"]
  window   = "assume_open"
}

reply_rule "hours" {
  provider = provider.sandbox.main
  when { text = "(?i)open" }
  reply = text_message.hours
}

check "not_too_many" {
  assert {
    condition     = plan.total.messages <= 3
    error_message = "The plan sends ${plan.total.messages} messages, and 3 are allowed."
  }
}
