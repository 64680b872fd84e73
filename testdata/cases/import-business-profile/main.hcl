provider "sandbox" "main" {
  url = env("SANDBOX")
}

business_profile "shop" {
  provider = provider.sandbox.main
  about    = "Repairs of bicycles"
  vertical = "RETAIL"
}
