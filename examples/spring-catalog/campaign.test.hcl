run "who wrote today gets the list, who wrote last week the template" {
  at = "2026-03-02T12:00:00Z"

  contacts "customers" {
    rows = [
      { phone = "+4915112345601", first_name = "Jana", opted_in = "yes", last_seen = "2026-03-02T08:00:00Z" },
      { phone = "+4915112345602", first_name = "Bob", opted_in = "yes", last_seen = "2026-02-23T08:00:00Z" },
      { phone = "+4915112345603", first_name = "Cy", opted_in = "no", last_seen = "2026-02-23T08:00:00Z" },
      { phone = "+4915112345604", first_name = "Dee", opted_in = "yes", last_seen = "2026-03-02T08:00:00Z" },
    ]
  }

  event "stop" {
    from = "+4915112345604"
    at   = "2026-03-02T09:00:00Z"
  }

  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].text == "Browse our catalog for spring promotion, Jana:"
    error_message = "Jana gets the list"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345602"].action == "fallback" && plan.campaign["spring"].recipient["+4915112345602"].message == "template_message.reopen"
    error_message = "Bob gets the template"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345603"].action == "skip"
    error_message = "Cy did not agree to a template"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345604"].reason == "opted_out"
    error_message = "Dee wants no more"
  }
}

# The provider reported on an earlier send: one message was not delivered because
# the person had stopped marketing, and another one was sent.
run "what came of earlier sends" {
  at = "2026-03-02T12:00:00Z"

  contacts "customers" {
    rows = [
      { phone = "+4915112345601", first_name = "Jana", opted_in = "yes", last_seen = "2026-03-02T08:00:00Z" },
      { phone = "+4915112345602", first_name = "Bob", opted_in = "yes", last_seen = "2026-03-02T08:00:00Z" },
    ]
  }

  state {
    applied = true
    delivery "campaign.winter" {
      recipient = "+4915112345601"
      id        = "wamid.winter"
    }
    delivery "campaign.spring" {
      recipient = "+4915112345602"
      outcome   = "in_doubt"
      id        = "wamid.spring"
    }
  }

  webhook {
    file = "recorded/statuses.json"
  }

  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].reason == "opted_out"
    error_message = "the failure of the winter campaign says that Jana stopped marketing"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345602"].action == "sent"
    error_message = "Bob's message was delivered, so it is in doubt no more"
  }
  assert {
    condition     = plan.changes.create + plan.changes.update == 0
    error_message = "nothing was changed since"
  }
}
