provider "sandbox" "main" {
  url = env("SANDBOX")
}

catalog "spring" {
  id       = "194836987003835"
  products = csv("products.csv")
  manage {
    provider   = provider.sandbox.main

  }
}
