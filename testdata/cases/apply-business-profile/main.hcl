provider "sandbox" "main" {
  url = env("SANDBOX")
}

variable "about" { default = "Repairs of bicycles, Monday to Saturday" }

business_profile "shop" {
  provider = provider.sandbox.main
  about    = var.about
  email    = "hello@wheels.example"
  websites = ["https://wheels.example", "https://wheels.example/prices"]
  vertical = "retail"
}
