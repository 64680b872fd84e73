provider "onemsg" "support" {
  channel_id = "channel"
  token      = env("TOKEN")
  base_url   = "http://127.0.0.1:9"
}

business_profile "support" {
  provider = provider.onemsg.support
  about    = "Questions and answers"
}
