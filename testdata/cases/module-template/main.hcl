module "shop" {
  source = "./m"
  url    = env("SANDBOX")
}
