provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}
