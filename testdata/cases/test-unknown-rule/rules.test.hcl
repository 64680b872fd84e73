run "a rule that is not there" {
  event "inbound" {
    from = "+4915112345601"
    text = "Are you open on Sunday?"
  }

  assert {
    condition     = reply.rule != "houres"
    error_message = "this would hold for ever"
  }
  assert {
    condition     = replies[0].rule == "reply_rule.hours"
    error_message = "rules are compared by their names"
  }
}

run "an answer to a message that is not there" {
  event "inbound" {
    from       = "+4915112345601"
    answers    = list_message.brows
    list_reply = "beta"
  }

  assert {
    condition     = reply.none
    error_message = "no rule is for it"
  }
}

run "a lookup that no rule has" {
  lookup_answer "stock" {
    json = {}
  }
  assert {
    condition     = plan.total.send == 0
    error_message = "nothing is sent"
  }
}
