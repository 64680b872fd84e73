provider "sandbox" "main" {
  url = env("SANDBOX")
}
