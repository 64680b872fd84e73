provider "sandbox" "main" {}
module "welcome" {
  source = "./modules/welcome"
  number = provider.sandbox.main
}
