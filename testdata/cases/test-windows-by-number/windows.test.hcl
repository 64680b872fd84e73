run "a message opens the window of the number that it came to" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from     = "+4915112345601"
    provider = provider.sandbox.shop
    text     = "Are you open?"
  }

  assert {
    condition     = plan.campaign["from_shop"].recipient["+4915112345601"].action == "send"
    error_message = "Ada wrote to the shop, and the shop may answer"
  }
  assert {
    condition     = plan.campaign["from_service"].recipient["+4915112345601"].reason == "window_unknown"
    error_message = "Ada wrote nothing to the service"
  }
}

run "a stop to one number is a stop to all" {
  at = "2026-03-02T12:00:00Z"

  state {
    person "+4915112345602" {
      last_inbound = "2026-03-02T08:00:00Z"
    }
  }

  event "stop" {
    from     = "+4915112345602"
    provider = provider.sandbox.shop
  }

  assert {
    condition     = plan.campaign["from_shop"].skipped["opted_out"] == 1 && plan.campaign["from_service"].skipped["opted_out"] == 1
    error_message = "Bob wants no more, from any number"
  }
}
