provider "sandbox" "main" {
  url = env("SANDBOX")
}

business_profile "old" {
  provider = provider.sandbox.main
  about    = "Open from 9 to 5"
}

webhook "old" {
  provider     = provider.sandbox.main
  url          = "https://hooks.bakery.example/webhooks/main"
  verify_token = env("VERIFY_TOKEN")
  on_destroy   = "remove"
}
