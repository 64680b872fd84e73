run "each market is greeted in its language" {
  at = "2026-03-02T12:00:00Z"

  assert {
    condition     = startswith(plan.module.market["es"].campaign.spring.recipient["+34612345601"].text, "Hola Carla! Ya es primavera.")
    error_message = "Carla is greeted in Spanish"
  }
  assert {
    condition     = plan.module.market["de"].campaign.spring.send == 2 && module.market["de"].messages == 2
    error_message = "two people in one market"
  }
}
