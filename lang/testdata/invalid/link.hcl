link "l" { base = "https://go.example.com" } # ERROR: Missing required argument
# ---
link "l" { url = "https://shop.example/" } # ERROR: Missing required argument
# ---
link "l" {
  url  = "https://shop.example/"
  base = "go.example.com" # ERROR: Invalid value
}
# ---
link "l" {
  url  = "https://shop.example/"
  base = "http://go.example.com" # ERROR: Invalid value
}
# ---
link "l" {
  url  = "https://shop.example/"
  base = "https://go.example.com/?to=" # ERROR: Invalid value
}
# ---
link "l" {
  url  = "https://shop.example/"
  base = "https://go.example.com/webhooks/x" # ERROR: Invalid value
}
# ---
link "l" {
  url  = "javascript:alert(1)" # ERROR: Invalid value
  base = "https://go.example.com"
}
# ---
link "l" {
  url  = "https://user@shop.example/" # ERROR: Invalid value
  base = "https://go.example.com"
}
# ---
link "l" {
  url  = "https://shop.example/a b" # ERROR: Invalid value
  base = "https://go.example.com"
}
# ---
link "l" {
  url  = "https://shop.example/\r\nX: 1" # ERROR: Invalid value
  base = "https://go.example.com"
}
# ---
link "l" {
  url  = "http://shop.example/" # WARNING: Link without https
  base = "https://go.example.com"
}
# ---
link "l" {
  url  = "https://shop.example/${recipient.name}" # ERROR: Name not available here
  base = "https://go.example.com"
}
# ---
link "l" {
  url  = "https://shop.example/"
  base = "https://go.example.com"
}
text_message "t" { body = "See ${upper(link.l)}" } # ERROR: Link not usable here
# ---
link "l" {
  url  = "https://shop.example/"
  base = "https://go.example.com"
}
text_message "t" { body = "See ${link.l.url}" } # ERROR: Unknown attribute
# ---
text_message "t" { body = "See ${link.l}" } # ERROR: Undeclared reference
# ---
link "l" {
  for_each = { de = "x" }
  url      = "https://shop.example/"
  base     = "https://go.example.com"
}
text_message "t" { body = "See ${link.l.suffix}" } # ERROR: Unsuitable value
# ---
link "l" {
  url  = "https://shop.example/"
  base = "https://go.example.com"
}
provider "sandbox" "main" {}
text_message "t" { body = "See ${link.l}" } # ERROR: Link not usable here
reply_rule "r" {
  cooldown = "1h"
  when { any = true }
  reply = text_message.t
}
# ---
provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "x.csv" }
  attributes = { name = row.name }
}
link "l" {
  url  = "https://shop.example/${value.name}" # ERROR: Link not usable here
  base = "https://go.example.com"
}
text_message "t" { body = "See ${link.l}" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  values   = { name = recipient.name }
}
# ---
provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "x.csv" }
}
link "l" {
  url  = "https://shop.example/${value.name}"
  base = "https://go.example.com"
}
text_message "t" { body = "See ${link.l}" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t
  values   = { other = "x" } # ERROR: Missing value for message # WARNING: Unused value
}
# ---
provider "sandbox" "main" {}
audience "a" {
  source "csv" { path = "x.csv" }
}
link "l" {
  url  = "https://shop.example/"
  base = "https://go.example.com"
}
text_message "t" { body = "See ${link.l}" }
text_message "u" { body = "See the shop" }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  experiment {
    metric = "clicked"
    within = "72h"
    arm "a" {
      weight  = 50
      message = text_message.t
    }
    arm "b" { # ERROR: Invalid value
      weight  = 50
      message = text_message.u
    }
  }
}
