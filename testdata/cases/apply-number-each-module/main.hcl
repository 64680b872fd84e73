provider "sandbox" "main" {
  url = env("SANDBOX")
}

business_profile "each" {
  for_each = { a = "One" }
  provider = provider.sandbox.main
  about    = each.value
}

module "n" {
  source = "./modules/n"
  number = provider.sandbox.main
}

import {
  to = business_profile.each["a"]
  id = "1"
}
