run "another text" {
  event "inbound" {
    from = "+4915112345601"
    text = "Are you open on Sunday?"
  }

  assert {
    condition     = reply.text == "We are open\nMon to Fri 9 to 17\nSat 10 to 14"
    error_message = "the hours have changed"
  }
}

run "another rule" {
  event "inbound" {
    from = "+4915112345601"
    text = "When do you open?"
  }

  assert {
    condition     = reply.rule == "hours" && length(reply.rules) < 1
    error_message = "a question about hours is answered with hours"
  }
}

run "an answer that cannot be made" {
  event "inbound" {
    from       = "+4915112345601"
    answers    = list_message.browse
    list_reply = "beta"
  }

  assert {
    condition     = reply.rule == "price"
    error_message = "the price of what was tapped"
  }
}

run "another golden file" {
  event "inbound" {
    from = "+4915112345601"
    text = "help"
  }

  golden_reply = "help.txt"
}

run "nothing came in" {
  assert {
    condition     = reply.none
    error_message = "no answer"
  }
}

run "somebody who is not in the audience" {
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345699"].action == "send"
    error_message = "who is it"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].reason == "opted_out"
    error_message = "Ada said stop"
  }
}
