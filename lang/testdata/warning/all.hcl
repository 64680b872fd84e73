text_message "m" { body = "It costs $${price}" } # WARNING: Literal interpolation in text
# ---
catalog "s" {
  id = "1"
  product "a" { hidden = true }
  product "b" { availability = "out of stock" }
}
product_message "a" {
  catalog = catalog.s
  product = "a" # WARNING: Product not shown
}
product_message "b" {
  catalog = catalog.s
  product = catalog.s.products["b"] # WARNING: Product not shown
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
  values = { unused = 1 } # WARNING: Unused value
}
# ---
text_message "m" { body = "Hello" }
reply_rule "all" { # WARNING: Rule without an end
  when { any = true }
  reply = text_message.m
}
reply_rule "late" { # WARNING: Rule never reached
  when { text = "x" }
  reply = text_message.m
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = "A" }
  }
}
text_message "m" { body = "Hello" }
reply_rule "r" {
  when {
    list_reply = list_message.l
    row = "b" # WARNING: Unknown row or button
  }
  reply = text_message.m
}
# ---
catalog "s" {
  id = "1"
  product "a" {}
  product "b" {}
}
product_list_message "p" {
  catalog = catalog.s
  header  = "H"
  body    = "x"
  section "One" { products = ["a", "b"] }
  section "Two" {
    products = ["a"] # WARNING: Doubtful message
  }
}
# ---
variable "n" { default = 1 }
text_message "m" { body = "%%{ if x }" } # WARNING: Literal interpolation in text
