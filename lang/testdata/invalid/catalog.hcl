catalog "s" {
  id = "" # ERROR: Invalid value
}
# ---
catalog "s" {
  id = "1"
  product "a" {}
  product "a" {} # ERROR: Duplicate declaration
}
# ---
catalog "s" {
  id = "1"
  product "a" { titel = "x" } # ERROR: Unsupported argument
}
# ---
catalog "s" {
  id = "1"
  products = "none" # ERROR: Unsuitable value
}
# ---
catalog "s" {
  id = "1"
  products = [{ title = "A" }] # ERROR: Invalid value
}
# ---
catalog "s" {
  id = "1"
  products = [{ id = "a" }, { id = "a" }] # ERROR: Invalid value
}
# ---
catalog "s" {
  id = "1"
  products = ["a"] # ERROR: Invalid value
}
# ---
catalog "s" {
  id = "1"
  products = csv("nowhere.csv") # ERROR: Invalid function argument
}
# ---
catalog "s" {
  id = env("ONEMSG_TOKEN") # ERROR: Sensitive value not allowed
}
# ---
catalog "s" {
  id = "1"
  products = [{ id = env("ONEMSG_TOKEN") }] # ERROR: Sensitive value not allowed
}
# ---
catalog "s" {
  id = "1"
  product "" {} # ERROR: Invalid value
}
# ---
provider "sandbox" "main" {}
catalog "s" {
  manage { # ERROR: Missing required argument
    provider = provider.sandbox.main
  }
}
# ---
provider "sandbox" "main" {}
catalog "s" {
  id = "1"
  manage {
    provider   = provider.sandbox.main
    mode       = "replace" # ERROR: Invalid value
    on_destroy = "archive" # ERROR: Invalid value
    max_change = "120%" # ERROR: Invalid value
    feeds      = "yes" # ERROR: Invalid value
  }
}
# ---
provider "sandbox" "main" {}
catalog "s" {
  id = "1"
  product "a" { price = "19,90 EUR" } # ERROR: Product not taken
  product "b" { price = "19.905 EUR" } # ERROR: Product not taken
  product "c" { availability = "soon" } # ERROR: Product not taken
  manage { provider = provider.sandbox.main }
}
# ---
provider "sandbox" "main" {}
catalog "a" {
  id = "1"
  manage { provider = provider.sandbox.main }
}
catalog "b" {
  id = "1"
  manage { provider = provider.sandbox.main } # ERROR: Duplicate declaration
}
# ---
catalog "s" {
  id = "1"
  manage {} # ERROR: Missing required argument
}
