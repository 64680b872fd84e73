# A whole conversation: the catalog as a list, the row that a person taps, the
# product as an answer, the order, and the order in the CRM.
#
#   make demo-conversation
#
# plays it with the simulated network, the webhook server, the CRM of this
# directory (crm/), an apply, and a person who taps.

variable "sandbox_url" {
  type        = string
  default     = "http://127.0.0.1:4010"
  description = "Address of \"handbill sandbox\"."
}

variable "crm_url" {
  type        = string
  default     = "http://127.0.0.1:9010/whatsapp"
  description = "Where the CRM takes messages; serve needs -allow-host for one on this machine."
}

variable "crm_secret" {
  type        = string
  sensitive   = true
  default     = "only-for-the-example"
  description = "Signs what is handed on, so that the CRM knows that it is from us."
}

provider "sandbox" "main" {
  url = var.sandbox_url
}

catalog "spring" {
  id = "194836987003835"

  product "prod_alpha" {
    title       = "Alpha Widget"
    description = "Compact model"
    price       = "19.90 EUR"
  }
  product "prod_beta" {
    title       = "Beta Widget"
    description = "Standard model"
    price       = "29.90 EUR"
  }
}

list_message "browse" {
  body   = "New in spring, ${recipient.name}. What would you like to see?"
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

product_message "alpha" {
  catalog = catalog.spring
  product = "prod_alpha"
  body    = "Here it is, ${recipient.name}. Put it into the cart to order."
}

product_message "beta" {
  catalog = catalog.spring
  product = "prod_beta"
  body    = "Here it is, ${recipient.name}. Put it into the cart to order."
}

text_message "thanks" {
  body = "Thank you, ${recipient.name}! We have your order of ${value.pieces} ${plural(value.pieces, "piece", "pieces")} and pack it today."
}

audience "subscribers" {
  source "csv" { path = "contacts.csv" }

  phone      = row.phone
  attributes = { name = row.name }
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.subscribers
  message    = list_message.browse
  on_invalid = "skip"
}

reply_rule "alpha" {
  when {
    list_reply = list_message.browse
    row        = "prod_alpha"
  }

  reply = product_message.alpha
  set   = { interest = inbound.reply_id }
}

reply_rule "beta" {
  when {
    list_reply = list_message.browse
    row        = "prod_beta"
  }

  reply = product_message.beta
  set   = { interest = inbound.reply_id }
}

reply_rule "order" {
  when { order = true }

  values = { pieces = sum([for item in inbound.order.items : item.quantity]) }
  reply  = text_message.thanks

  forward {
    url    = var.crm_url
    secret = var.crm_secret
  }
}
