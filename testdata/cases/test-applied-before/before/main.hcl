provider "sandbox" "main" {}

text_message "hours" {
  body = "We are open from 9 to 18."
}


reply_rule "hours" {
  when { text = "open" }
  reply = text_message.hours
}
