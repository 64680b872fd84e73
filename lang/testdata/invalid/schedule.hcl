provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "a.csv" }
}
text_message "t" { body = "Hello" }
campaign "one" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  schedule {
    at = "25:00" # ERROR: Invalid value
  }
}
campaign "two" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  schedule {
    within = "2h" # ERROR: Missing required argument
  }
}
campaign "three" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  schedule {
    at     = "10:00"
    within = "13h" # ERROR: Invalid value
  }
}
campaign "four" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  schedule {
    at          = "21:30" # ERROR: Invalid value
    quiet_hours = "21:00-09:00"
    timezone    = "recipient"
  }
}
campaign "five" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  schedule {
    at       = "10:00"
    timezone = "recipients" # ERROR: Invalid value
  }
}
