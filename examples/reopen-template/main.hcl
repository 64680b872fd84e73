# Bring back people who wrote long ago. Outside the 24-hour window only a
# template that Meta has approved may be sent: it is declared here, created by
# the first apply, and sent once it is approved.

provider "sandbox" "main" {
  url = env("SANDBOX") # of "handbill sandbox"; with Meta: provider "cloud" and waba_id
}

template "spring_reopen" {
  provider   = provider.sandbox.main
  category   = "marketing"
  parameters = { first_name = "Ana", offer = "our spring sale" }

  translation "en_US" {
    body   = "Hello {{first_name}}, {{offer}} is open."
    footer = "Reply STOP to opt out"
    button "0" {
      type   = "url"
      text   = "See it"
      url    = "https://go.example.com/{{1}}"
      sample = "spring"
    }
    button "1" {
      type = "quick_reply"
      text = "Stop"
    }
  }

  translation "de" {
    body   = "Hallo {{first_name}}, {{offer}} hat begonnen."
    footer = "Mit STOP abbestellen"
    button "0" {
      type   = "url"
      text   = "Ansehen"
      url    = "https://go.example.com/{{1}}"
      sample = "spring"
    }
    button "1" {
      type = "quick_reply"
      text = "Stop"
    }
  }
}

audience "quiet" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, language = row.language }
  consent    = row.opted_in == "yes"
}

template_message "reopen" {
  template = template.spring_reopen
  language = recipient.language
  body     = { first_name = recipient.name, offer = recipient.language == "de" ? "unser Frühling" : "our spring sale" }

  button "0" {
    type = "url"
    text = "spring"
  }
}

campaign "reopen" {
  provider = provider.sandbox.main
  audience = audience.quiet
  message  = template_message.reopen
}
