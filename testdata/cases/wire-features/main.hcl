provider "sandbox" "main" {
  url        = env("SANDBOX")
  wire       = "cloud"
  throughput = 1000
}

audience "buyers" {
  source "csv" { path = "buyers.csv" }
  consent    = true
  optional   = ["order"]
  attributes = { order = row.order, identity = row.identity }
}

text_message "shipped" {
  body = "Your order is on its way."
}

template_message "code" {
  template = "code"
  language = "en"
  category = "authentication"
  body     = ["482913"]

  button "0" {
    type = "url"
    text = "482913"
  }
}

template_message "sale" {
  template           = "sale"
  language           = "en"
  category           = "marketing"
  marketing_messages = "fallback"
}

# Each person sees the order above the answer; who has none sees the text alone.
campaign "shipped" {
  provider = provider.sandbox.main
  audience = audience.buyers
  message  = text_message.shipped
  quote    = recipient.order
  window   = "assume_open"
}

campaign "code" {
  provider          = provider.sandbox.main
  audience          = audience.buyers
  message           = template_message.code
  identity_key_hash = recipient.identity
}

campaign "sale" {
  provider = provider.sandbox.main
  audience = audience.buyers
  message  = template_message.sale
}
