provider "cloud" "main" {
  phone_number_id = "106540352242922"
  access_token    = env("CLOUD_TOKEN")
}
