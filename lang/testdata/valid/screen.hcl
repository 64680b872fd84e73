variable "product_context" {
  type        = string
  default     = "spring promotion"
  description = "What the list message's body says the catalog is for."
}

provider "onemsg" "main" {
  channel_id = "ABC123"
  token      = env("ONEMSG_TOKEN")        # env() values are sensitive: never in plan, state or logs
  throughput = 20                         # messages per second; the provider's own limit is the default
}

catalog "spring" {
  id = "194836987003835"
  product "prod_alpha" {
    title        = "Alpha Widget"
    description  = "Compact model"
    price        = "19.90 EUR"
    availability = "in stock"
  }
  product "prod_beta" {
    title       = "Beta Widget"
    description = "Standard model"
    price       = "29.90 EUR"
  }
}

list_message "browse" {
  body   = "Browse our catalog for ${value.context}, ${recipient.name}:"
  button = "View catalog"

  section "Featured products" {
    dynamic "row" {
      for_each = catalog.spring.products
      labels   = [row.key]
      content {
        title       = row.value.title
        description = row.value.description
      }
    }
  }
}

template_message "reopen" {
  template = "spring_reopen"
  language = "en"
  body     = [recipient.name]
}

audience "subscribers" {
  source "csv" { path = "contacts.csv" }   # also ndjson, json, sql (PostgreSQL, SQLite), and inline contact blocks
  phone      = row.phone
  region     = "DE"                        # for numbers written in national form
  filter     = row.country == "DE"
  consent    = row.opted_in == "yes"       # needed for messages outside the window
  last_inbound = row.last_seen             # RFC 3339 or Unix seconds; the state's own events win when newer
  attributes = { name = row.first_name, timezone = row.tz }
}

campaign "spring" {
  provider = provider.onemsg.main
  audience = audience.subscribers
  message  = list_message.browse
  fallback = template_message.reopen       # for recipients whose 24-hour window is closed
  values   = { context = var.product_context }

  schedule {
    not_before  = "2026-03-01T09:00:00+01:00"
    quiet_hours = "20:00-09:00"            # in recipient.timezone, else in the schedule's timezone
    timezone    = "Europe/Berlin"
  }
}

text_message "availability" {
  body = "Hello, ${recipient.name}! «${value.product}» is currently ${value.status}. Reply here to reserve it."
}

reply_rule "availability" {
  provider = provider.onemsg.main
  when { text = "(?i)(?P<sku>prod_\\w+).*\\b(available|in stock)\\b" }
  values = {
    product = catalog.spring.products[match.sku].title
    status  = catalog.spring.products[match.sku].availability
  }
  reply = text_message.availability
}

reply_rule "picked_a_row" {
  provider = provider.onemsg.main
  when { list_reply = list_message.browse }
  forward { url = "https://crm.example.com/whatsapp" }
}
