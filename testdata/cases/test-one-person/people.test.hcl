run "who stops by user id has stopped by number, too" {
  at = "2026-03-02T12:00:00Z"

  webhook { file = "people.json" }

  assert {
    condition     = plan.campaign["numbers"].recipient["+4915112345601"].reason == "opted_out" && plan.campaign["ids"].recipient["DE.1001"].reason == "opted_out"
    error_message = "Ada said stop"
  }
  assert {
    condition     = plan.campaign["numbers"].send == 2 && plan.campaign["ids"].send == 2
    error_message = "Bob and Cy did not"
  }
}

run "one person is planned once" {
  at = "2026-03-02T12:00:00Z"

  webhook { file = "people.json" }

  assert {
    condition     = plan.campaign["everybody"].recipient["+4915112345602"].reason == "duplicate_person" && plan.campaign["everybody"].send == 2
    error_message = "Bob stands there by his user id, and by his number"
  }
}

run "who was sent under the number is not sent the same under the user id" {
  at = "2026-03-02T12:00:00Z"

  state {
    delivery "campaign.ids" {
      recipient = "+4915112345602"
    }
  }

  webhook { file = "people.json" }

  assert {
    condition     = plan.campaign["ids"].recipient["DE.1002"].action == "sent"
    error_message = "Bob has it"
  }
}
