provider "dialog360" "main" {
  api_key      = env("KEY")
  phone_number = "+4915112345678"
  base_url     = "http://127.0.0.1:9"
}

conversational_automation "shop" {
  provider = provider.dialog360.main
  prompts  = ["Where is my bicycle?"]
}

webhook "shop" {
  provider     = provider.dialog360.main
  url          = "https://hooks.wheels.example/webhooks/main"
  verify_token = env("KEY")
}
