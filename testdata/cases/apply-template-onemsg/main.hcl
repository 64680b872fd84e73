provider "sandbox" "main" {
  url        = env("SANDBOX")
  wire       = "onemsg"
  throughput = 1000
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  consent = true
}
