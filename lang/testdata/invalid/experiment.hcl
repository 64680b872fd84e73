provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = { language = row.language }
}
text_message "t" { body = "Hello" }
text_message "u" { body = "Hello you" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  variant "de" {
    when    = recipient.language == "de"
    message = text_message.t
  }
  experiment {
    arm "none" {
      weight = 0 # ERROR: Invalid value
    }
    arm "half" { # ERROR: Missing required argument
      weight  = 50
      message = text_message.u
    }
    arm "half" { # ERROR: Duplicate declaration
      weight = 12.3456 # ERROR: Invalid value
    }
    arm "" { # ERROR: Invalid name
      weight = 50
      variant "de" { # ERROR: Invalid value
        message = text_message.u
      }
    }
    arm "other" {
      weight   = 50
      message  = text_message.u
      fallback = text_message.u # ERROR: Invalid value
      variant "de" { message = text_message.u }
      variant "de" { message = text_message.u } # ERROR: Duplicate declaration
      variant "pt" { message = text_message.u } # ERROR: Invalid value
    }
    arm "unweighed" { # ERROR: Missing required argument
      message = text_message.t
      variant "de" { message = text_message.t }
    }
    metric = "clicks" # ERROR: Invalid value
    within = "soon"   # ERROR: Invalid value
  }
}
# ---
provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "a.csv" }
}
text_message "t" { body = "Hello" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  experiment { # ERROR: Invalid value
    arm "one" {
      weight  = 45
      message = text_message.t
    }
    arm "two" { # ERROR: Missing required argument
      weight = 45
    }
    holdout = 5
    metric  = "replied"
    within  = "72h"
  }
}
campaign "alone" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  experiment { # ERROR: Invalid value
    arm "one" { weight = 90 }
    holdout = 10
    metric  = "replied"
    within  = "72h"
  }
}
campaign "empty" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  experiment { # ERROR: Missing block
    metric = "replied"
    within = "72h"
  }
}
campaign "twice" { # ERROR: Missing required argument
  provider = provider.sandbox.main
  audience = audience.a
}
