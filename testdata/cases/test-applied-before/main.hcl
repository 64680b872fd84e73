provider "sandbox" "main" {}

text_message "hours" {
  body = "We are open from 9 to 17."
}

text_message "closed" {
  body = "We are closed."
}

reply_rule "hours" {
  when { text = "open" }
  reply = text_message.hours
}
