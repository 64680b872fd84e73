provider "sandbox" "main" {}

template "Spring" { # ERROR: Invalid value
  provider = provider.sandbox.main
  category = "utility"
  translation "en" { body = "Hello there." }
}

template "no_words" { # ERROR: Missing required argument
  provider = provider.sandbox.main
  category = "utility"
}

template "words" {
  provider   = provider.sandbox.main
  category   = "utility"
  ttl        = "2d" # ERROR: Template that Meta would refuse
  parameters = { who = "Ana", what = "x", nobody = "x" } # ERROR: Template that Meta would refuse
  translation "en" {
    body   = "{{who}}, your order is ready." # ERROR: Template that Meta would refuse
    footer = "For {{who}}"                   # ERROR: Template that Meta would refuse
  }
  translation "en" { # ERROR: Duplicate declaration
    body = "Twice."
  }
  translation "english" { # ERROR: Invalid value
    body = "Hello there."
  }
  translation "de" {
    body = "Hallo {{who}}, {{what}} ist da."
    header { # ERROR: Template that Meta would refuse
      text = "*Neu*"
    }
    button "1" { # ERROR: Invalid value
      type = "quick_reply"
      text = "Ja"
    }
    button "1" { # ERROR: Template that Meta would refuse
      type   = "url"
      text   = "Mehr"
      url    = "https://a.example/{{1}}/b"
    }
    button "2" { # ERROR: Template that Meta would refuse
      type = "quick_reply"
      text = "Nein"
    }
  }
}

template "files" {
  provider = provider.sandbox.main
  category = "utility"
  translation "en" {
    body = "Hello there."
    header { image = "https://a.example/1.png" } # ERROR: Invalid value
  }
  translation "de" {
    components = "[" # ERROR: Template that Meta would refuse
  }
  translation "fr" {
    body       = "Bonjour."
    components = "[]" # ERROR: Conflicting arguments
  }
}

template "fits" {
  provider   = provider.sandbox.main
  category   = "utility"
  parameters = ["Ana"]
  translation "en" { body = "Hello {{1}}, it is ready." }
}

template_message "unfit" {
  template = template.fits
  language = "en"
  body     = ["a", "b"] # ERROR: Message unfit for its template
}

template_message "other_language" {
  template = template.fits
  language = "de" # ERROR: Message unfit for its template
  body     = ["a"]
}

template_message "no_text" {
  template = "${template.fits.name}" # ERROR: Unsuitable value
  language = "en"
}
