provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

template "spring_reopen" {
  provider   = provider.sandbox.main
  category   = "marketing"
  parameters = { first_name = "Ana", offer = "our spring sale" }

  translation "en_US" {
    header { image = "spring.png" }
    body   = "Hello {{first_name}}, {{offer}} is open."
    footer = "Reply STOP to opt out"
    button "0" {
      type   = "url"
      text   = "See it"
      url    = "https://go.example.com/{{1}}"
      sample = "abc"
    }
    button "1" {
      type = "quick_reply"
      text = "Stop"
    }
  }

  translation "de" {
    body = "Hallo {{first_name}}, {{offer}} hat begonnen."
  }
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
  consent    = row.opted_in == "yes"
}

template_message "reopen" {
  template = template.spring_reopen
  language = "en_US"
  body     = { first_name = recipient.name, offer = "everything" }
  header { image = "https://shop.example.com/spring.png" }
  button "0" {
    type = "url"
    text = "spring"
  }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = template_message.reopen
}
