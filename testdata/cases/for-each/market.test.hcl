run "each market has its language" {
  at = "2026-03-02T12:00:00Z"

  assert {
    condition     = plan.campaign.spring["es"].recipient["+34612345601"].text == "Hola Carla, what shall it be?"
    error_message = "Carla is greeted in Spanish"
  }
  assert {
    condition     = keys(plan.campaign.spring) == ["de", "es"] && plan.campaign["spring"]["de"].send == 2
    error_message = "two markets"
  }
}

run "people, deliveries and taps by key" {
  at = "2026-03-02T12:00:00Z"

  contacts "people[es]" {
    rows = [
      { phone = "+34612345601", name = "Carla", market = "es" },
      { phone = "+34612345602", name = "Diego", market = "es" },
    ]
  }

  state {
    delivery "campaign.spring[es]" {
      recipient = "+34612345602"
    }
  }

  event "inbound" {
    from       = "+34612345602"
    answers    = list_message.menu["es"]
    list_reply = "soup"
  }

  assert {
    condition     = plan.campaign.spring["es"].send == 1 && plan.campaign.spring["es"].sent == 1
    error_message = "Diego had it"
  }
  assert {
    condition     = reply.rule == "dish[\"es\"]" && reply.text == "¡Gracias!"
    error_message = "${reply.rule} says ${reply.text}"
  }
}
