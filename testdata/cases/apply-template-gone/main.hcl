provider "sandbox" "main" {
  url = env("SANDBOX")
}

template "news" {
  provider = provider.sandbox.main
  category = "utility"
  translation "en" { body = "Your order is ready." }
}
