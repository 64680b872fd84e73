run "everybody is greeted in their language" {
  at = "2026-03-02T12:00:00Z"

  assert {
    condition     = plan.campaign.spring.recipient["+4915112345601"].text == "Hallo Anna, spring is here." && plan.campaign.spring.recipient["+351912345678"].message == "text_message.hello[\"pt\"]"
    error_message = "not their language"
  }
  assert {
    condition     = plan.campaign.spring.variant["de"].messages == 1 && plan.campaign.spring.variant[""].recipients == 2
    error_message = "who meets which variant"
  }
}
