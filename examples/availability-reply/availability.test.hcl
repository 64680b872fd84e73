run "the stock service is asked and its word is passed on" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345678"
    name = "Alexey"
    text = "Is plan_premium available?"
  }

  lookup_answer "stock" {
    json = { status = "in stock — ready to ship today" }
  }

  assert {
    condition     = reply.rule == "availability" && reply.match.other == "plan_premium"
    error_message = "a question about a known code is answered with its availability"
  }
  assert {
    condition     = reply.lookup.stock.url == "https://stock.example.com/items/plan_premium"
    error_message = "the stock service is asked for this item"
  }
  assert {
    condition     = reply.text == "Hello, Alexey! «Premium Plan license» is currently in stock — ready to ship today. Reply here if you want to reserve, get a restock alert, or see similar options."
    error_message = "the answer has another text"
  }
  assert {
    condition     = reply.set.asked_for == "plan_premium"
    error_message = "what was asked for is kept"
  }
}

run "a stock service that is down" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345679"
    text = "is prod_alpha in stock"
  }

  lookup_answer "stock" {
    fails = true
  }

  assert {
    condition     = reply.text == "Hello, there! «Alpha Widget» is currently in stock. Reply here if you want to reserve, get a restock alert, or see similar options."
    error_message = "the catalog's word stands in"
  }
}

run "an unknown code is asked for once an hour" {
  event "inbound" {
    from = "+4915112345678"
    at   = "2026-01-01T09:00:00Z"
    text = "Do you have prod_omega in stock?"
  }
  event "inbound" {
    from = "+4915112345678"
    at   = "2026-01-01T09:59:00Z"
    text = "Is it available?"
  }
  event "inbound" {
    from = "+4915112345678"
    at   = "2026-01-01T10:01:00Z"
    text = "Is it available or not?"
  }

  assert {
    condition     = replies[0].rule == "which_one" && replies[1].none && replies[2].rule == "which_one"
    error_message = "the second question comes within the hour"
  }
}

# Recorded at the webhook of 1msg; the sandbox speaks its wire format here.
run "a webhook of 1msg" {
  webhook {
    provider = provider.sandbox.main
    file     = "recorded/question.json"
  }

  lookup_answer "stock" {
    json = { status = "sold out" }
  }

  assert {
    condition     = reply.rule == "availability"
    error_message = "the question names a code"
  }

  golden_reply = "recorded/question.reply.txt"
}

run "who wants no more is not answered by a rule" {
  event "inbound" {
    from = "+4915112345678"
    text = "STOP"
  }

  assert {
    condition     = reply.none && reply.silent == "stop_word"
    error_message = "a stop word silences the rules"
  }
}
