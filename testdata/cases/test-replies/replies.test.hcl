run "a tap by webhook" {
  at = "2026-03-02T12:00:00Z"

  state {
    delivery "spring" {
      recipient = "+4915112345601"
      id        = "wamid.SENT"
      at        = "2026-03-02T09:00:00Z"
    }
  }

  webhook {
    provider = provider.sandbox.main
    file     = "tap.json"

    lookup_answer "shop" {
      json = { price = "29.90 EUR" }
    }
  }

  assert {
    condition     = reply.rule == "price" && reply.text == "Beta Widget is 29.90 EUR today, Ada."
    error_message = "the price of what was tapped"
  }
  assert {
    condition     = reply.lookup.shop.url == "https://shop.example.com/items/beta" && reply.forward.body.data.campaign == "campaign.spring"
    error_message = "what the services get"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].action == "sent"
    error_message = "Ada has it already"
  }

  golden       = "golden/tap.plan.txt"
  golden_reply = "golden/tap.reply.txt"
}

run "groups of a pattern" {
  event "inbound" {
    from = "+4915112345601"
    text = "Are you open on Sunday?"
  }

  assert {
    condition     = reply.match.day == "Sunday" && reply.set.asked == "sunday" && reply.rules == ["hours"]
    error_message = "the day is taken from the text"
  }

  golden_reply = "golden/hours.reply.json"
}

run "a button gives the conversation to a person, and the rules keep silent" {
  event "inbound" {
    from = "+4915112345601"
    text = "help"
  }
  event "inbound" {
    from         = "+4915112345601"
    answers      = button_message.help
    button_reply = "person"
    text         = "A person, please"
  }
  event "inbound" {
    from = "+4915112345601"
    text = "help"
  }

  assert {
    condition     = replies[0].rule == "help" && replies[1].rule == "person" && replies[2].none
    error_message = "help, person, nothing"
  }
  assert {
    condition     = replies[0].fields["button[0].title"] == "A person, please" && reply.silent == "handover"
    error_message = "the button's title"
  }

  golden_reply = "golden/handover.reply.md"
}

run "what people do decides whom the campaign reaches" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345601"
    at   = "2026-03-02T08:00:00Z"
    text = "hello"
  }
  event "inbound" {
    from = "+4915112345602"
    at   = "2026-03-02T08:00:00Z"
    text = "please stop"
  }

  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].action == "send" && plan.campaign["spring"].recipient["+4915112345602"].reason == "opted_out"
    error_message = "Ada is written to, Bob is not"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].text == "What may we show you, Ada?"
    error_message = "the text for Ada"
  }
  assert {
    condition     = reply.none && reply.stop_word == "stop" && replies[0].none
    error_message = "no rule is for these"
  }
}

run "a service that is down and has no fallback" {
  event "inbound" {
    from       = "+4915112345601"
    answers    = list_message.browse
    list_reply = "beta"
  }

  lookup_answer "shop" {
    fails = true
  }

  expect_errors = ["reply_failed"]
}
