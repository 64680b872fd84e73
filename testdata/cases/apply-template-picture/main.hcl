provider "sandbox" "main" {
  url = env("SANDBOX")
}

template "poster" {
  provider = provider.sandbox.main
  category = "marketing"
  translation "en" {
    header { image = "spring.png" }
    body = "Look at this."
  }
}
