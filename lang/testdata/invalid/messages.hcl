text_message "m" {} # ERROR: Missing required argument
# ---
text_message "m" { body = "" } # ERROR: Invalid message
# ---
text_message "m" {
  body = "x"
  preview_url = "maybe" # ERROR: Unsuitable value
}
# ---
button_message "m" {
  body = "x"
  button "a" {} # ERROR: Missing required argument
}
# ---
button_message "m" { # ERROR: Invalid message
  body = "x"
}
# ---
button_message "m" {
  header = "H" # ERROR: Conflicting arguments
  header { text = "H" }
  body = "x"
  button "a" { title = "A" }
} 
# ---
button_message "m" {
  body = "x"
  header {} # ERROR: Missing required argument
  button "a" { title = "A" }
}
# ---
button_message "m" {
  body = "x"
  header {
    text  = "H"
    image = "https://example.com/a.png" # ERROR: Conflicting arguments
  }
  button "a" { title = "A" }
}
# ---
link_message "m" { # ERROR: Missing required argument
  body = "x"
  button = "Go"
}
# ---
link_message "m" {
  body = "x"
  button = "Go"
  url = "not a url" # ERROR: Invalid message
}
# ---
media_message "m" {} # ERROR: Missing required argument
# ---
media_message "m" {
  image = "https://example.com/a.png"
  video = "https://example.com/a.mp4" # ERROR: Conflicting arguments
}
# ---
media_message "m" {
  image = media_id("a", "b") # ERROR: Error in function call
}
# ---
location_request_message "m" { text = "x" } # ERROR: Unsupported argument; Missing required argument
# ---
flow_message "m" { # ERROR: Missing required argument
  body = "x"
  button = "Go"
}
# ---
flow_message "m" {
  body = "x"
  button = "Go"
  flow_id = "1"
  flow_name = "f" # ERROR: Conflicting arguments
}
# ---
flow_message "m" {
  body = "x"
  button = "Go"
  flow_id = "1"
  action = "jump" # ERROR: Invalid value
}
# ---
contact_message "m" {} # ERROR: Missing block
# ---
contact_message "m" {
  contact {} # ERROR: Missing required argument
}
# ---
contact_message "m" {
  contact {
    formatted_name = "Ann"
    phone { number = "1" } # ERROR: Unsupported argument; Missing required argument
  }
}
# ---
location_message "m" { latitude = "1" } # ERROR: Missing required argument
# ---
reaction_message "m" { emoji = "x" } # ERROR: Missing required argument
# ---
carousel_message "m" {
  body = "x"
  card {
    header {} # ERROR: Missing required argument
  }
}
# ---
address_request_message "m" { body = "x" } # ERROR: Missing required argument
# ---
call_message "m" { button = "x" } # ERROR: Missing required argument
# ---
call_permission_request_message "m" { text = "x" } # ERROR: Unsupported argument
# ---
contact_request_message "m" {} # ERROR: Missing required argument
