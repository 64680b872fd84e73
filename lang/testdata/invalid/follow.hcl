provider "sandbox" "main" {}

text_message "hello" { body = "Hello" }

audience "people" {
  source "csv" { path = "people.csv" }
  attributes = { name = row.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.hello
}

audience "silent" {
  source "campaign" {
    of     = campaign.spring
    filter = row.delivered && !row.klicked # ERROR: Unknown column
    after  = "2 days"                      # ERROR: Invalid value
  }
  attributes = {
    name = row.attributes.name
    city = row.attributes.town # ERROR: Unknown attribute
    seen = row.seen_at         # ERROR: Unknown column
  }
}

audience "fixed" {
  source "campaign" {
    of = campaign.spring
  }
  columns = ["phone"] # ERROR: Conflicting arguments
}

audience "nothing" {
  source "campaign" { # ERROR: Missing required argument
    filter = row.read
  }
}

audience "unknown" {
  source "campaign" {
    of = campaign.autumn # ERROR: Undeclared reference
  }
}

audience "other" {
  source "campaign" {
    of     = audience.people # ERROR: Unsuitable value
    filter = "maybe"         # ERROR: Unsuitable value
  }
}

audience "itself" { # ERROR: Dependency cycle
  source "campaign" {
    of = campaign.itself
  }
}

campaign "itself" {
  provider = provider.sandbox.main
  audience = audience.itself
  message  = text_message.hello
}

campaign "first" {
  provider = provider.sandbox.main
  audience = audience.after_second
  message  = text_message.hello
}

campaign "second" {
  provider = provider.sandbox.main
  audience = audience.after_first
  message  = text_message.hello
}

audience "after_first" { # ERROR: Dependency cycle
  source "campaign" { of = campaign.first }
}

audience "after_second" {
  source "campaign" { of = campaign.second }
}
