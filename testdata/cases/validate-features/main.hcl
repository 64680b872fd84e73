provider "onemsg" "main" {
  channel_id = "ABC123"
  token      = env("TOKEN")
}

provider "kaleyra" "main" {
  sid          = "S1"
  api_key      = env("TOKEN")
  phone_number = "+914400000000"
}

audience "buyers" {
  source "csv" { path = "buyers.csv" }
  consent    = true
  attributes = { identity = row.identity }
}

text_message "hello" {
  body = "One moment"
}

template_message "code" {
  template = "code"
  language = "en"
  category = "authentication"
}

template_message "sale" {
  template           = "sale"
  language           = "en"
  marketing_messages = "strict"
}

campaign "code" {
  provider          = provider.onemsg.main
  audience          = audience.buyers
  message           = template_message.code
  identity_key_hash = recipient.identity
}

campaign "sale" {
  provider = provider.kaleyra.main
  audience = audience.buyers
  message  = template_message.sale
}

reply_rule "price" {
  provider = provider.kaleyra.main
  when { text = "price" }
  reply  = text_message.hello
  typing = true
}

reply_rule "seen" {
  provider = provider.onemsg.main
  when { text = "thanks" }
  mark_read = true
}
