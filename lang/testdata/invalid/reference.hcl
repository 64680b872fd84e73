variable "town" { default = "Bonn" }
text_message "m" { body = "In ${var.twon}" } # ERROR: Undeclared reference
# ---
locals { a = local.b } # ERROR: Undeclared reference
# ---
text_message "m" { body = "${nowhere.x}" } # ERROR: Unknown name
# ---
text_message "m" { body = Hello } # ERROR: Unknown name
# ---
text_message "m" { body = row.name } # ERROR: Name not available here
# ---
locals { a = recipient.name } # ERROR: Name not available here
# ---
locals { a = value.x } # ERROR: Name not available here
# ---
text_message "m" { body = "${match.sku}" } # ERROR: Name not available here
# ---
text_message "m" { body = "${inbound.text}" } # ERROR: Name not available here
# ---
text_message "m" { body = "${plan.x}" } # ERROR: Name not available here
# ---
locals {
  a = local.b # ERROR: Dependency cycle
  b = local.c
  c = local.a
}
# ---
locals { a = local.a } # ERROR: Dependency cycle
# ---
audience "a" { # ERROR: Dependency cycle
  source "csv" { path = "a.csv" }
  exclude = [audience.b]
}
audience "b" {
  source "csv" { path = "b.csv" }
  exclude = [audience.a]
}
# ---
locals { a = path.rot } # ERROR: Undeclared reference
# ---
locals { a = uper("x") } # ERROR: Call to unknown function
# ---
locals { a = upper("x", "y") } # ERROR: Too many function arguments
# ---
locals { a = file("../../etc/passwd") } # ERROR: Invalid function argument
# ---
locals { a = env("NOT_SET") } # ERROR: Error in function call
# ---
locals { a = { b = 1 }.c } # ERROR: Unsupported attribute
# ---
locals { a = [for x in range(1000) : [for y in range(1000) : [for z in range(100) : z]]] } # ERROR: Expression too costly
