run "who read it and said nothing for two days" {
  at = "2026-03-04T12:00:00Z"

  state {
    delivery "campaign.spring" {
      recipient    = "+4915112345601"
      delivered_at = "2026-03-02T11:00:00Z"
      attributes   = { name = "Ben", city = "Bonn" }
    }
    delivery "campaign.spring" {
      recipient  = "+4915112345602"
      read_at    = "2026-03-03T11:00:00Z"
      attributes = { name = "Cem", city = "" }
    }
    delivery "campaign.spring" {
      recipient    = "+4915112345603"
      delivered_at = "2026-03-02T11:00:00Z"
      replied_at   = "2026-03-02T12:00:00Z"
    }
    delivery "campaign.spring" {
      recipient = "+4915112345604"
      outcome   = "failed"
      code      = "131026"
    }
    delivery "campaign.spring" {
      recipient = "+4915112345605"
      outcome   = "held_out"
    }
  }

  assert {
    condition     = plan.campaign["reminder"].recipients == 2 && plan.campaign["reminder"].send == 1
    error_message = "one is due, of two"
  }
  assert {
    condition     = plan.campaign["reminder"].recipient["+4915112345601"].text == "Ben, have you seen what is new in Bonn?"
    error_message = "the attributes are those that were sent"
  }
}

run "a name that was not kept" {
  at = "2026-03-04T12:00:00Z"

  state {
    delivery "campaign.spring" {
      recipient    = "+4915112345602"
      delivered_at = "2026-03-01T11:00:00Z"
    }
  }

  expect_errors = ["empty_value"]
}
