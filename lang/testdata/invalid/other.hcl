check "c" {} # ERROR: Missing block
text_message "m" { body = "Hello" }
# ---
check "c" {
  assert { condition = true } # ERROR: Missing required argument
}
text_message "m" { body = "Hello" }
# ---
check "c" {
  assert {
    condition = recipient.x # ERROR: Name not available here
    error_message = "x"
  }
}
text_message "m" { body = "Hello" }
# ---
output "o" {} # ERROR: Missing required argument
text_message "m" { body = "Hello" }
# ---
output "o" { value = local.x } # ERROR: Undeclared reference
text_message "m" { body = "Hello" }
# ---
moved { from = text_message.old } # ERROR: Missing required argument
text_message "m" { body = "Hello" }
# ---
moved {
  from = "text_message.old" # ERROR: Invalid address
  to   = text_message.m
}
text_message "m" { body = "Hello" }
# ---
moved {
  from = campaign.old
  to   = text_message.m # ERROR: Invalid address
}
text_message "m" { body = "Hello" }
# ---
moved { # ERROR: Conflicting moved blocks
  from = text_message.m
  to   = text_message.n
}
text_message "n" { body = "x" }
text_message "m" { body = "Hello" }
# ---
moved { # ERROR: Undeclared reference
  from = text_message.old
  to   = text_message.new
}
text_message "m" { body = "Hello" }
# ---
moved { # ERROR: Conflicting moved blocks
  from = text_message.a
  to   = text_message.b
}
moved { # ERROR: Conflicting moved blocks
  from = text_message.b
  to   = text_message.a
}
text_message "m" { body = "Hello" }
# ---
moved {
  from = text_message.a
  to   = text_message.m
}
moved { # ERROR: Conflicting moved blocks
  from = text_message.b
  to   = text_message.m
}
text_message "m" { body = "Hello" }
