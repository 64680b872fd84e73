provider "sandbocks" "main" {} # ERROR: Unknown provider type
# ---
provider "onemsg" "main" { # ERROR: Missing required argument
  channel_id = "ABC"
}
# ---
provider "onemsg" "main" {
  channel_id = "ABC"
  token = env("ONEMSG_TOKEN")
  chanel = "x" # ERROR: Unsupported argument
}
# ---
provider "onemsg" "main" {
  channel_id = "ABC"
  token = "abcdef" # ERROR: Secret in plain text
}
# ---
variable "t" { default = "abcdef" }
provider "onemsg" "main" {
  channel_id = "ABC"
  token = var.t # ERROR: Secret in plain text
}
# ---
provider "sandbox" "main" {
  seed = "many" # ERROR: Unsuitable value
}
# ---
provider "onemsg" "main" {
  channel_id = null # ERROR: Missing value
  token = env("ONEMSG_TOKEN")
}
# ---
provider "sandbox" "main" {}
provider "sandbox" "main" {} # ERROR: Duplicate declaration
