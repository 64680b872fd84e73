run "who was sent it or said stop gets nothing" {
  at = "2026-03-02T12:00:00Z"

  contacts "customers" {
    rows = [
      { phone = "+4915112345601", name = "Ada", city = "Berlin", opted_in = "yes" },
      { phone = "+4915112345602", name = "Bob", city = "Bonn", opted_in = "yes" },
      { phone = "+4915112345603", name = "Cy", city = "Bonn", opted_in = "yes" },
    ]
  }

  state {
    delivery "campaign.spring" { recipient = "+4915112345602" }
  }

  event "stop" {
    from = "+4915112345603"
    at   = "2026-03-01T12:00:00Z"
  }

  assert {
    condition     = plan.campaign["spring"].send == 1
    error_message = "one message, and not ${plan.campaign["spring"].send}"
  }

  assert {
    condition     = plan.campaign["spring"].skipped["opted_out"] == 1
    error_message = "who said stop is left out"
  }

  golden = "golden/spring.txt"
}

run "too many" {
  contacts "customers" {
    rows = [for i in [1, 2, 3, 4] : { phone = "+491511234560${i}", name = "Ada", city = "Berlin", opted_in = "yes" }]
  }

  expect_errors = ["check_failed"]
}
