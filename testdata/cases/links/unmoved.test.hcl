run "who did not follow the link" {
  at = "2026-03-02T12:00:00Z"

  state {
    delivery "campaign.spring" {
      recipient  = "+4915112345601"
      clicked_at = "2026-03-02T11:00:00Z"
    }
    delivery "campaign.spring" { recipient = "+4915112345602" }
  }

  assert {
    condition     = plan.campaign.reminder.recipients == 1 && plan.campaign.reminder.recipient["+4915112345602"].action == "send"
    error_message = "Who has not looked gets the reminder, and nobody else."
  }
}
