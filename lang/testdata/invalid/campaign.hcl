text_message "m" { body = "Hello" }
campaign "c" { message = text_message.m } # ERROR: Missing required argument; Missing required argument
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.mian # ERROR: Undeclared reference
  audience = audience.all
  message  = text_message.m
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbx.main # ERROR: Undeclared reference
  audience = audience.all
  message  = text_message.m
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.al # ERROR: Undeclared reference
  message  = text_message.m
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = audience.all # ERROR: Unsuitable value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = "all" # ERROR: Unsuitable value
  message  = text_message.m
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  fallback = text_message.m # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  on_invalid = "ignore" # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  window = "open" # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  revision = 0 # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  revision = 1.5 # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  throughput = -1 # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  max_attempts = "three" # ERROR: Unsuitable value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  testers = ["0151 12345678"] # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  values = ["a"] # ERROR: Unsuitable value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  schedule { not_before = "tomorrow" } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  schedule {
    not_before = "2026-03-02T00:00:00Z"
    not_after = "2026-03-01T00:00:00Z" # ERROR: Invalid value
  }
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  schedule { quiet_hours = "20-9" } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  schedule { timezone = "Berlin" } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  schedule { timezone = "Local" } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  schedule {}
  schedule {} # ERROR: Duplicate block
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  limit { per_recipient = "once a day" } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  limit { total = 0 } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  limit { max_change = 2 } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  canary {} # ERROR: Missing required argument
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  canary {
    count = 10
    percent = 5 # ERROR: Conflicting arguments
  }
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  canary {
    count = 10
    wait = "soon" # ERROR: Invalid value
  }
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  stop_if { failure_rate = 1.2 } # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "Hi ${recipient.nmae}" } # ERROR: Unknown attribute
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m

}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "On ${value.topic}" }
campaign "c" { # ERROR: Missing value for message
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m

}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "On ${value.topic}" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  values = { topc = "x" } # ERROR: Missing value for message # WARNING: Unused value

}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "On ${value.topic}" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  values = { topic = recipient.twon } # ERROR: Unknown attribute
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first, city = row.town }
}
text_message "m" { body = "On ${value.topic}" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  values = { topic = env("ONEMSG_TOKEN") } # ERROR: Sensitive value not allowed
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { name = row.first }
}
text_message "m" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  quote    = recipient.order # ERROR: Unknown attribute
}
# ---
provider "sandbox" "main" {}
audience "all" {
  source "csv" { path = "c.csv" }
  attributes = { order = row.order }
}
reaction_message "m" {
  message_id = recipient.order
  emoji      = "👍"
}
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = reaction_message.m
  quote    = "wamid.7" # ERROR: Invalid message
}
