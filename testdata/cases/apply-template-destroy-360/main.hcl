provider "sandbox" "dialog" {
  url  = env("SANDBOX")
  wire = "dialog360"
}
