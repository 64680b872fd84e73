provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = { language = row.language }
}
text_message "t" { body = "Hello" }
text_message "v" { body = "Hello ${value.city}" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  variant "one" {
    when    = recipient.lnaguage == "de" # ERROR: Unknown attribute
    message = text_message.t
  }
  variant "one" { # ERROR: Duplicate declaration
    when    = row.language == "de" # ERROR: Name not available here
    message = text_message.t
  }
  variant "three" { # ERROR: Missing required argument
    message = text_message.t
  }
  variant "four" { # ERROR: Missing required argument
    when = true
  }
  variant "five" {
    when     = recipient.language == "pt"
    message  = text_message.t
    fallback = text_message.t # ERROR: Invalid value
  }
  variant "six" {
    when    = env("ONEMSG_TOKEN") == recipient.language # ERROR: Sensitive value not allowed
    message = text_message.t
  }
  variant "seven" {
    when    = "sometimes" # ERROR: Unsuitable value
    message = text_message.t
  }
  variant "" { # ERROR: Invalid name
    when    = recipient.phone == "+4915112345601"
    message = text_message.t
  }
}
# ---
provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "a.csv" }
}
text_message "t" { body = "Hello" }
text_message "v" { body = "Hello ${value.city}" }
campaign "c" { # ERROR: Missing value for message
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  variant "one" {
    when    = recipient.user_id != null
    message = text_message.v
  }
}
