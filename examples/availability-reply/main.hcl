# A person asks whether an item is in stock. The answer comes at once from the
# stock service, within the 24-hour window that the question opened.
#
#   handbill init
#   handbill reply test events.jsonl     see what would be answered
#   handbill apply                       the rules take effect
#   handbill serve                       answers
#
# Source of the scenario: 1msg, "session reply: availability inquiry".

variable "stock_url" {
  type        = string
  default     = "https://stock.example.com"
  description = "Where the stock service is."
}

# To answer through 1msg, put this in its place:
#
#   provider "onemsg" "main" {
#     channel_id    = "ABC123"
#     token         = env("ONEMSG_TOKEN")
#     webhook_token = env("ONEMSG_WEBHOOK_TOKEN")
#   }
provider "sandbox" "main" {
  wire = "onemsg"
}

catalog "shop" {
  id = "194836987003835"

  product "prod_alpha" {
    title        = "Alpha Widget"
    price        = "19.90 EUR"
    availability = "in stock"
  }
  product "plan_premium" {
    title        = "Premium Plan license"
    price        = "240.00 EUR"
    availability = "available for order"
  }
}

text_message "availability" {
  body = "Hello, ${coalesce(recipient.name, "there")}! «${value.item}» is currently ${value.status}. Reply here if you want to reserve, get a restock alert, or see similar options."
}

text_message "which_one" {
  body = "Which item do you mean? Write its code, such as ${keys(catalog.shop.products)[0]}."
}

# The code of an item anywhere in a question about availability.
reply_rule "availability" {
  provider = provider.sandbox.main
  priority = 10

  when {
    text      = "(?i)\\b(?P<sku>(?:prod|plan)_\\w+)\\b.*\\b(available|in stock|left)\\b|\\b(?:is|are|any|still)\\b.*\\b(?P<other>(?:prod|plan)_\\w+)\\b"
    condition = contains(keys(catalog.shop.products), lower(coalesce(match.sku, match.other)))
  }

  lookup "stock" {
    url      = "${var.stock_url}/items/${lower(coalesce(match.sku, match.other))}"
    timeout  = "2s"
    fallback = { status = catalog.shop.products[lower(coalesce(match.sku, match.other))].availability }
  }

  values = {
    item   = catalog.shop.products[lower(coalesce(match.sku, match.other))].title
    status = lookup.stock.status
  }
  reply = text_message.availability
  set   = { asked_for = lower(coalesce(match.sku, match.other)) }
}

# A question without a known code.
reply_rule "which_one" {
  provider = provider.sandbox.main
  cooldown = "1h"

  when { text = "(?i)\\b(available|in stock)\\b" }

  reply = text_message.which_one
}
