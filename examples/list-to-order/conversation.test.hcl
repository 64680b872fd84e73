run "the row that is tapped is the product that comes" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from       = "+4915112345678"
    name       = "Ana"
    answers    = list_message.browse
    list_reply = "prod_beta"
    text       = "Beta Widget"
  }

  assert {
    condition     = reply.rule == "beta" && reply.message == "product_message.beta"
    error_message = "the tapped product is answered with"
  }
  assert {
    condition     = reply.set.interest == "prod_beta"
    error_message = "the interest is kept"
  }
}

# The tap names the message that it answers by the provider's id. The delivery in
# the state has the same id, so that it is found, as serve would find it.
run "a tap as it comes by webhook" {
  at = "2026-03-02T12:00:00Z"

  state {
    delivery "campaign.spring" {
      recipient = "+4915112345678"
      id        = "wamid.sent"
    }
  }

  webhook {
    file = "recorded/tap.json"
  }

  assert {
    condition     = reply.rule == "alpha"
    error_message = "the tap is on the campaign's list"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345678"].action == "sent"
    error_message = "Ana has the campaign's message"
  }

  golden_reply = "recorded/tap.reply.txt"
}

run "the order is confirmed and goes to the CRM" {
  variables = { crm_url = "https://crm.example.com/whatsapp" }

  event "inbound" {
    from  = "+4915112345678"
    name  = "Ana"
    order = { catalog_id = "194836987003835", items = [{ product = "prod_beta", quantity = 2, price = "29.90", currency = "EUR" }] }
  }

  assert {
    condition     = reply.text == "Thank you, Ana! We have your order of 2 pieces and pack it today."
    error_message = "the order is confirmed"
  }
  assert {
    condition     = reply.forward.url == "https://crm.example.com/whatsapp" && reply.forward.body.data.rule == "reply_rule.order"
    error_message = "the CRM gets it"
  }
}

run "thanks need no answer" {
  event "inbound" {
    from = "+4915112345678"
    text = "Thanks!"
  }

  assert {
    condition     = reply.none
    error_message = "no rule is for this"
  }
}
