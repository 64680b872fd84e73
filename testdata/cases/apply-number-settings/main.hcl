provider "sandbox" "main" {
  url = env("SANDBOX")
}

commerce_settings "shop" {
  provider           = provider.sandbox.main
  is_catalog_visible = true
}

conversational_automation "shop" {
  provider = provider.sandbox.main
  prompts  = ["Where is my bicycle?", "What does a repair cost?"]
  commands = [
    { name = "hours", description = "When the workshop is open" },
    { name = "price", description = "What a repair costs" },
  ]
}

webhook "number" {
  provider     = provider.sandbox.main
  url          = "https://hooks.wheels.example/webhooks/main"
  verify_token = env("VERIFY_TOKEN")
  on_destroy   = "remove"
}

webhook "account" {
  provider     = provider.sandbox.main
  level        = "account"
  url          = "https://hooks.wheels.example/webhooks/all"
  verify_token = env("VERIFY_TOKEN")
}
