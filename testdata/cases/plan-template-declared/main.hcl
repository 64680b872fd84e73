provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

provider "sandbox" "dialog" {
  url  = env("SANDBOX")
  wire = "dialog360"
}

provider "sandbox" "kaleyra" {
  url  = env("SANDBOX")
  wire = "kaleyra"
}
