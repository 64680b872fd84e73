template_message "t" { template = "x" } # ERROR: Missing required argument
# ---
template_message "t" {
  template = "x"
  language = "en"
  body = "text" # ERROR: Unsuitable value
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  body = recipient.list # ERROR: Shape depends on recipient
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  body = [{ money = 3 }] # ERROR: Unsupported argument
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  body = [{ currency = { code = "EUR" } }] # ERROR: Missing required argument; Missing required argument
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  body = [{ text = "a", date_time = "b" }] # ERROR: Conflicting arguments
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  button "first" { type = "quick_reply" } # ERROR: Invalid value
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  button "0" { type = "reply" } # ERROR: Invalid value
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  header {} # ERROR: Missing required argument
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  header { latitude = "1" } # ERROR: Missing required argument
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  limited_time_offer {} # ERROR: Missing required argument
}
# ---
template_message "t" {
  template = "x"
  language = "en"
  header {
    image          = "https://shop.example/h.png"
    parameter_name = "who" # ERROR: Missing required argument
  }
}
# ---
template_message "t" {
  template           = "x"
  language           = "en"
  category           = "utility"
  marketing_messages = "strict" # ERROR: Invalid value
}
# ---
template_message "t" {
  template           = "x"
  language           = "en"
  marketing_messages = "always" # ERROR: Invalid value
}
