run "a module's campaigns are seen by path" {
  at = "2026-03-02T12:00:00Z"

  contacts "module.welcome.audience.people" {
    rows = [
      { phone = "+4915112345601", name = "Ada", opted_in = "yes" },
    ]
  }

  state {
    delivery "campaign.again" {
      recipient = "+4915112345601"
    }
  }

  event "inbound" {
    from       = "+4915112345601"
    answers    = module.welcome.list_message.menu
    list_reply = "soup"
  }

  assert {
    condition     = plan.module.welcome.campaign.hello.send == 1 && plan.campaign["module.welcome.campaign.hello"].send == 1
    error_message = "one message of the module"
  }
  assert {
    condition     = plan.module.welcome.campaign.hello.recipient["+4915112345601"].message == "module.welcome.list_message.menu"
    error_message = "the module's message"
  }
  assert {
    condition     = module.welcome.messages == 1 && plan.campaign.again.sent == 1
    error_message = "outputs that depend on the plan"
  }
  assert {
    condition     = reply.rule == "module.welcome.reply_rule.dish" && reply.text == "One soup.\nYours, Welcome team"
    error_message = "${reply.rule} says ${reply.text}"
  }
}
