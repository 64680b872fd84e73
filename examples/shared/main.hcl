# A campaign of a team: the state is in PostgreSQL, and machines share the work.

handbill {
  required_version = ">= 0.1.0"

  state "postgres" { url = env("HANDBILL_STATE_URL") }
}

provider "cloud" "main" {
  phone_number_id = env("WHATSAPP_NUMBER_ID")
  access_token    = env("WHATSAPP_TOKEN")
  app_secret      = env("WHATSAPP_APP_SECRET")
  verify_token    = env("WHATSAPP_VERIFY_TOKEN")
}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "news" {
  body = "Hello ${recipient.name}, our new catalog is out. Reply STOP to get no more messages."
}

text_message "thanks" {
  body = "Thank you, we read every message and answer on the same day."
}

campaign "news" {
  provider = provider.cloud.main
  audience = audience.customers
  message  = text_message.news
}

reply_rule "thanks" {
  when { any = true }
  reply = text_message.thanks
}
