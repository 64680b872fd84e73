run "cut off" {
  webhook {
    file = "cut.json"
  }
  expect_errors = []
  golden_reply  = "x.txt"
}

run "another provider's" {
  webhook {
    file = "foreign.json"
  }
  golden_reply = "x.txt"
}

run "not there" {
  webhook {
    file = "recorded/none.json"
  }
  golden_reply = "x.txt"
}

run "outside" {
  webhook {
    file = "../secret.json"
  }
  golden_reply = "x.txt"
}

run "of a number that is not declared" {
  webhook {
    provider = provider.cloud.main
    file     = "cut.json"
  }
  golden_reply = "x.txt"
}

run "as expected" {
  webhook {
    file = "cut.json"
  }
  expect_errors = ["unreadable_webhook"]
}
