run "who did not opt in gets nothing" {
  variables = { environment = "dev", contacts = "contacts/dev.csv", most = 10 }

  contacts "customers" {
    rows = [
      { phone = "+4915112345601", first_name = "Ada", opted_in = "yes", last_seen = "" },
      { phone = "+4915112345602", first_name = "Bob", opted_in = "no", last_seen = "" },
    ]
  }

  assert {
    condition     = plan.campaign["spring"].send == 1
    error_message = "one message, and not ${plan.campaign["spring"].send}"
  }
}
