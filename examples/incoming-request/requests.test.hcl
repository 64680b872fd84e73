run "a request with a topic goes to its manager" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345678"
    name = "Alexey"
    text = "Hello, I look for a CRM for my team"
  }

  assert {
    condition     = reply.rule == "request" && reply.handover
    error_message = "the request rule answers, and a person takes over"
  }
  assert {
    condition     = reply.text == "Hello, Alexey! We received your request about «CRM for a sales team». Manager Anna is reviewing it and will reply shortly."
    error_message = "the acknowledgement has another text"
  }
  assert {
    condition     = reply.set == { topic = "crm", manager = "Anna" }
    error_message = "topic and manager are kept"
  }
  assert {
    condition     = reply.forward.url == "https://crm.example.com/leads" && reply.forward.body.data.from.phone == "+4915112345678"
    error_message = "the CRM gets the request"
  }
}

run "the rules are silent once a person has taken over" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345678"
    at   = "2026-03-02T11:00:00Z"
    text = "support please"
  }
  event "inbound" {
    from = "+4915112345678"
    at   = "2026-03-02T11:05:00Z"
    text = "And how much is a CRM?"
  }

  assert {
    condition     = replies[0].rule == "request" && reply.none && reply.silent == "handover"
    error_message = "the second message is the manager's"
  }
}

run "somebody new is greeted, and only once" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345679"
    text = "Good morning"
  }
  event "inbound" {
    from = "+4915112345679"
    text = "Anybody there?"
  }

  assert {
    condition     = replies[0].rule == "first_contact" && replies[1].none
    error_message = "first contact is the first message"
  }
}

run "at night it says so, whatever is asked" {
  event "inbound" {
    from = "+4915112345670"
    name = "Zoë"
    at   = "2026-03-02T22:30:00+01:00"
    text = "telephony please"
  }

  golden_reply = "recorded/night.reply.md"

  assert {
    condition     = reply.rule == "night" && !reply.handover
    error_message = "the night rule comes first"
  }
}
