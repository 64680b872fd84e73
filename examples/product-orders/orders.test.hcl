run "a small order is confirmed and handed to the shop" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345678"
    name = "Ana"
    order = {
      catalog_id = "194836987003835"
      items = [
        { product = "prod_alpha", quantity = 2, price = "19.90", currency = "EUR" },
        { product = "bundle_pro", quantity = 1, price = "79.90", currency = "EUR" },
      ]
    }
  }

  assert {
    condition     = reply.rules == ["shop", "order"]
    error_message = "the shop gets it, and it is confirmed"
  }
  assert {
    condition     = reply.message == "text_message.confirmed"
    error_message = "another message goes out"
  }
  assert {
    condition     = reply.text == <<-EOT
      Thank you, Ana! Your order:
      2 × Alpha Widget, 19.90 EUR
      1 × Pro pack, 79.90 EUR
      Reply here to change it.
    EOT
    error_message = "the confirmation has another text"
  }
  assert {
    condition     = reply.forward.body.data.order.items[0].quantity == 2
    error_message = "the shop gets the cart"
  }
}

run "a large order goes to a person" {
  event "inbound" {
    from = "+4915112345679"
    order = {
      catalog_id = "194836987003835"
      note       = "for the office"
      items      = [{ product = "prod_beta", quantity = 40, price = "29.90", currency = "EUR" }]
    }
  }

  assert {
    condition     = reply.rules == ["shop", "large_order"] && reply.handover
    error_message = "forty pieces are a large order"
  }
}

# Recorded at the webhook of 360dialog, which is Meta's.
run "a cart as it comes by webhook" {
  webhook {
    provider = provider.sandbox.main
    file     = "recorded/cart.json"
  }

  golden_reply = "recorded/cart.reply.txt"
}

run "whoever stops after the campaign gets no more of it" {
  at = "2026-03-02T12:00:00Z"

  contacts "customers" {
    rows = [
      { phone = "+4915112345678", name = "Ana", last_seen = "2026-03-02T09:00:00Z" },
      { phone = "+4915112345679", name = "Ben", last_seen = "2026-03-02T09:00:00Z" },
      { phone = "+4915112345670", name = "Cy", last_seen = "2026-02-20T09:00:00Z" },
    ]
  }

  event "inbound" {
    from = "+4915112345679"
    at   = "2026-03-02T10:00:00Z"
    text = "Stop"
  }

  assert {
    condition     = plan.campaign["march"].recipient["+4915112345678"].action == "send"
    error_message = "Ana's window is open"
  }
  assert {
    condition     = plan.campaign["march"].recipient["+4915112345678"].text == "Hello, Ana! Put together what you like and send us the cart."
    error_message = "Ana gets another text"
  }
  assert {
    condition     = plan.campaign["march"].recipient["+4915112345679"].reason == "opted_out"
    error_message = "Ben wants no more"
  }
  assert {
    condition     = plan.campaign["march"].recipient["+4915112345670"].reason == "window_closed"
    error_message = "Cy wrote too long ago"
  }
}
