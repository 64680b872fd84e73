run "each market has its campaigns" {
  at = "2026-03-02T12:00:00Z"

  assert {
    condition     = plan.module.market["de"].campaign.spring["dinner"].send == 2 && plan.module.market["es"].campaign.spring["lunch"].send == 1
    error_message = "two meals in one market, one in the other"
  }
  assert {
    condition     = keys(plan.module.market["es"].campaign.spring) == ["lunch"] && sum([for k, c in plan.campaign : c.messages]) == 5
    error_message = "all campaigns"
  }
}
