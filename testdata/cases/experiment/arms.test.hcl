run "everybody has an arm, or is held out" {
  at = "2026-03-02T12:00:00Z"

  assert {
    condition     = plan.campaign.spring.arm["short"].recipients + plan.campaign.spring.arm["long"].recipients + plan.campaign.spring.held_out == 40
    error_message = "who is where"
  }
  assert {
    condition     = contains(["short", "long"], coalesce(plan.campaign.spring.recipient["+4915112345602"].arm, "none"))
    error_message = "their arm"
  }
}
