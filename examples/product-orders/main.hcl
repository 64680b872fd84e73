# Products to choose from, and what happens to the cart that comes back: small
# orders are confirmed, large ones go to a person, and all go to the shop.
#
# Source of the scenario: 360dialog, "single and multi product messages".

variable "shop_secret" {
  type        = string
  sensitive   = true
  default     = "only-for-the-example"
  description = "Signs what is handed on to the shop."
}

# The wire format is 360dialog's; to send through 360dialog:
#
#   provider "dialog360" "main" {
#     api_key       = env("D360_API_KEY")
#     webhook_token = env("D360_WEBHOOK_TOKEN")
#   }
provider "sandbox" "main" {
  wire = "dialog360"
}

catalog "shop" {
  id = "194836987003835"

  product "prod_alpha" {
    title = "Alpha Widget"
    price = "19.90 EUR"
  }
  product "prod_beta" {
    title = "Beta Widget"
    price = "29.90 EUR"
  }
  product "bundle_pro" {
    title = "Pro pack"
    price = "79.90 EUR"
  }
}

product_list_message "choice" {
  catalog = catalog.shop
  header  = "New in March"
  body    = "Hello, ${recipient.name}! Put together what you like and send us the cart."

  section "Widgets" { products = ["prod_alpha", "prod_beta"] }
  section "Packs" { products = ["bundle_pro"] }
}

text_message "confirmed" {
  body = <<-EOT
    Thank you, ${coalesce(recipient.name, "there")}! Your order:
    ${value.lines}
    Reply here to change it.
  EOT
}

text_message "large" {
  body = "Thank you, ${coalesce(recipient.name, "there")}! For an order of ${value.pieces} pieces somebody of us writes to you in a moment."
}

audience "customers" {
  source "csv" { path = "contacts.csv" }

  phone        = row.phone
  last_inbound = row.last_seen
  attributes   = { name = row.name }
}

campaign "march" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = product_list_message.choice
}

# Every order goes to the shop; other rules still apply.
reply_rule "shop" {
  priority = 30
  continue = true

  when { order = true }

  forward {
    url    = "https://shop.example.com/orders"
    secret = var.shop_secret
  }
}

reply_rule "large_order" {
  priority = 20

  when {
    order     = true
    condition = sum([for item in inbound.order.items : item.quantity]) > 20
  }

  values   = { pieces = sum([for item in inbound.order.items : item.quantity]) }
  reply    = text_message.large
  handover = true
}

reply_rule "order" {
  when { order = true }

  values = {
    lines = join("\n", [for item in inbound.order.items : "${item.quantity} × ${catalog.shop.products[item.product].title}, ${item.price} ${item.currency}"])
  }
  reply = text_message.confirmed
}
