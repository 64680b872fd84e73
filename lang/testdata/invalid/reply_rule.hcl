text_message "m" { body = "Hello" }
reply_rule "r" { # ERROR: Missing block
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" { # ERROR: Rule without effect
  when { any = true }
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when {} # ERROR: Missing required argument
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { text = "(" } # ERROR: Invalid regular expression
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { text = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } # ERROR: Invalid regular expression
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when {
    text = "a"
    keywords = ["b"] # ERROR: Conflicting arguments
  }
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { list_reply = text_message.m } # ERROR: Unsuitable value
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { list_reply = list_message.x } # ERROR: Undeclared reference
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { button_reply = text_message.m } # ERROR: Unsuitable value
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { row = "a" } # ERROR: Missing required argument
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { payload = "a" } # ERROR: Missing required argument
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { type = "txt" } # ERROR: Invalid value
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { time = "late" } # ERROR: Invalid value
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { condition = inbound.txt == "x" } # ERROR: Unknown attribute
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { condition = recipient.shoe == "x" } # ERROR: Unknown attribute
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  cooldown = "-3s" # ERROR: Invalid value
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  forward { url = "http://crm.example.com" } # ERROR: Invalid value
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  forward {
    url = "https://crm.example.com"
    secret = "abc" # ERROR: Secret in plain text
  }
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  forward {} # ERROR: Missing required argument
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  set = "x" # ERROR: Unsuitable value
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  set = { phone = "x" } # ERROR: Reserved name
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  lookup "stock" {} # ERROR: Missing required argument
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  lookup "stock" {
    url = "https://x.example"
    method = "PUT" # ERROR: Invalid value
  }
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  lookup "stock" {
    url = "https://x.example"
    body = "x" # ERROR: Conflicting arguments
  }
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  lookup "stock" {
    url = "https://x.example"
    timeout = "5m" # ERROR: Invalid value
  }
  reply = text_message.m
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  lookup "s" { url = "https://x.example" }
  lookup "s" { url = "https://x.example" } # ERROR: Duplicate declaration
  reply = text_message.m
}
# ---
text_message "m" { body = "It is ${value.status}" }
reply_rule "r" {
  when { text = "(?P<sku>a)" }
  reply = text_message.m
  values = { status = match.sk } # ERROR: Unknown attribute
}
# ---
text_message "m" { body = "It is ${value.status}" }
reply_rule "r" { # ERROR: Missing value for message
  when { any = true }
  cooldown = "1m"
  reply = text_message.m
}
# ---
text_message "m" { body = "It is ${value.status}" }
reply_rule "r" {
  when { any = true }
  cooldown = "1m"
  reply = text_message.m
  values = { status = lookup.stock } # ERROR: Unknown attribute
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { any = true }
  reply = audience.x # ERROR: Undeclared reference
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { condition = lookup.stock.left > 0 } # ERROR: Name not available here
  lookup "stock" { url = "https://shop.example/stock" }
  reply = text_message.m
}
# ---
reply_rule "r" {
  when { any = true }
  quote    = inbound.id # ERROR: Missing required argument
  handover = true
}
# ---
reply_rule "r" {
  when { any = true }
  typing    = true # ERROR: Missing required argument
  mark_read = true
}
# ---
text_message "m" { body = "Hello" }
reply_rule "r" {
  when { order = true }
  reply = text_message.m
  quote = inbound.wamid # ERROR: Unknown attribute
}
# ---
text_message "m" { body = "Hello" }
reply_rule "broken" {
  when { any = true }
  reply    = text_message.n # ERROR: Undeclared reference
  cooldown = "ten minutes" # ERROR: Invalid value
}
reply_rule "after_it" { # no warning: the cooldown, which lets this one answer, is only misspelt
  when { any = true }
  reply    = text_message.m
  cooldown = "10m"
}
