run "what webhooks tell of earlier sends" {
  at = "2026-03-02T12:00:00Z"

  state {
    person "+4915112345602" {
      last_inbound = "2026-03-02T08:00:00Z"
    }
    person "+4915112345605" {
      last_inbound = "2026-03-02T08:00:00Z"
    }
    delivery "campaign.winter" {
      recipient = "+4915112345601"
      id        = "wamid.ADA"
    }
    delivery "campaign.winter" {
      recipient = "+4915112345602"
      id        = "wamid.BOB"
    }
    delivery "campaign.winter" {
      recipient = "+4915112345603"
      id        = "wamid.CY"
    }
  }

  webhook { file = "events.json" }

  assert {
    condition     = plan.campaign["news"].recipient["+4915112345601"].reason == "cooldown"
    error_message = "Meta chose not to deliver to Ada, so nothing goes out for a day"
  }
  assert {
    condition     = plan.campaign["news"].recipient["+4915112345602"].action == "fallback"
    error_message = "Bob's window was closed, whatever the state believed"
  }
  assert {
    condition     = plan.campaign["news"].recipient["+4915112345603"].reason == "opted_out" && plan.campaign["news"].recipient["+4915112345604"].reason == "opted_out"
    error_message = "Cy and Dee want no more"
  }
  assert {
    condition     = plan.campaign["news"].recipient["+4915112345605"].text == "News for Eve."
    error_message = "Eve's window is open"
  }
}

# The same webhook a day later; the cool-down is over.
run "a day later" {
  at = "2026-03-03T12:00:00Z"

  state {
    delivery "campaign.winter" {
      recipient = "+4915112345601"
      id        = "wamid.ADA"
    }
  }

  webhook {
    file = "events.json"
    at   = "2026-03-02T10:00:00Z"
  }

  assert {
    condition     = plan.campaign["news"].recipient["+4915112345601"].message == "template_message.news"
    error_message = "Ada gets the template"
  }
}
