run "nobody is greeted as NULL" {
  at = "2026-03-02T12:00:00Z"

  contacts "customers" {
    rows = [
      { phone = "+4915112345601", "First name" = "NULL", surname = "Hopper", city = "Austin", user_id = "", last_seen = "" },
      { phone = "+4915112345602", "First name" = "Grace", surname = "Hopper", city = "N/A", user_id = "", last_seen = "NULL" },
    ]
  }

  assert {
    condition     = plan.campaign["spring"].skipped["placeholder_value"] == 1 && plan.campaign["spring"].send == 1
    error_message = "got ${jsonencode(plan.campaign["spring"].skipped)}"
  }

  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345602"].text == "Hello Grace, see you in town."
    error_message = "got ${plan.campaign["spring"].recipient["+4915112345602"].text}"
  }
}
