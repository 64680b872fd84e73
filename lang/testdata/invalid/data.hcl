provider "sandbox" "main" {}
data "templte" "a" { # ERROR: Invalid value
  provider = provider.sandbox.main
  name     = "a"
}
# ---
data "template" "a" { # ERROR: Missing required argument
  name = "a"
}
# ---
provider "sandbox" "main" {}
data "template" "a" { # ERROR: Missing required argument
  provider = provider.sandbox.main
}
# ---
data "template" "a" {
  provider = provider.sandbox.main # ERROR: Undeclared reference
  name     = "a"
}
# ---
provider "sandbox" "main" {}
data "template" "a" {
  provider = provider.sandbox.main
  name     = "Order-Ready" # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
data "template" "a" {
  provider = provider.sandbox.main
  name     = "a"
  language = "en" # ERROR: Unsupported argument
}
# ---
provider "sandbox" "main" {}
data "template" "a" {
  provider = provider.sandbox.main
  name     = "a"
}
data "template" "a" { # ERROR: Duplicate declaration
  provider = provider.sandbox.main
  name     = "b"
}
# ---
template_message "m" {
  template = data.template.b # ERROR: Undeclared reference
  language = "en"
}
# ---
provider "sandbox" "main" {}
data "template" "a" {
  provider = provider.sandbox.main
  name     = "a"
}
template_message "m" {
  template = data.template.b # ERROR: Undeclared reference
  language = "en"
}
# ---
provider "sandbox" "main" {}
data "template" "a" {
  provider = provider.sandbox.main
  name     = "a"
}
template_message "m" {
  template = "${data.template.a.address}" # ERROR: Unsuitable value
  language = "en"
}
