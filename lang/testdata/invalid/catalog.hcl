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
