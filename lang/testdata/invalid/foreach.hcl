audience "a" {
  for_each = ["de", "es"] # ERROR: Invalid for_each
  source "csv" { path = "a.csv" }
}
campaign "c" {
  for_each = audience.a
  provider = provider.sandbox.main
  audience = audience.a[each.key]
  message  = text_message.t
}
provider "sandbox" "main" {}
text_message "t" { body = "Hello" }
# ---
text_message "t" {
  for_each = null # ERROR: Invalid for_each
  body = "Hello"
}
# ---
text_message "t" {
  for_each = toset([1, 2]) # ERROR: Invalid for_each
  body = "Hello"
}
# ---
text_message "t" {
  for_each = "de" # ERROR: Invalid for_each
  body = "Hello"
}
# ---
text_message "t" {
  for_each = toset([env("ONEMSG_TOKEN")]) # ERROR: Invalid for_each
  body = each.key
}
# ---
text_message "t" {
  for_each = toset([recipient.language]) # ERROR: Name not available here
  body = each.key
}
# ---
text_message "t" {
  for_each = { "say \"de\"" = 1 } # ERROR: Invalid for_each
  body = "Hello"
}
# ---
text_message "t" {
  for_each = { "" = 1 } # ERROR: Invalid for_each
  body = "Hello"
}
# ---
provider "sandbox" "main" {
  for_each = toset(["a b"]) # ERROR: Invalid for_each
}
# ---
text_message "t" {
  body = "Hello ${each.key}" # ERROR: Name not available here
}
# ---
locals { languages = { de = "Hallo" } }
text_message "t" {
  for_each = local.languages
  body     = each.vlaue # ERROR: Unsupported attribute
}
# ---
text_message "t" {
  for_each = { de = "Hallo", es = "Hola" }
  body     = each.value
}
audience "a" {
  source "csv" { path = "a.csv" }
}
provider "sandbox" "main" {}
campaign "one" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t["fr"] # ERROR: Undeclared reference
}
campaign "two" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.t # ERROR: Unsuitable value
}
campaign "three" {
  provider = provider.sandbox.main
  audience = audience.a["de"] # ERROR: Unsuitable value
  message  = text_message.t["de"]
}
# ---
variable "x" {
  default  = 1
  for_each = {} # ERROR: Unsupported argument
}
check "x" {
  for_each = {} # ERROR: Unsupported argument
  assert {
    condition     = true
    error_message = "x"
  }
}
# ---
text_message "a" { # ERROR: Dependency cycle
  for_each = text_message.b
  body     = "x"
}
text_message "b" {
  for_each = text_message.a
  body     = "x"
}
# ---
text_message "t" {
  for_each = { de = 1 }
  body     = "x"
}
moved { # ERROR: Conflicting moved blocks
  from = text_message.t["de"] # only what is gone can have moved
  to   = text_message.t["de"]
}
