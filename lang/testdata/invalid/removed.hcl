text_message "t" {
  for_each = toset(["de"])
  body     = "x"
}
removed { # ERROR: Conflicting removed block
  from = text_message.t
}
removed { # ERROR: Conflicting removed block
  from = text_message.t["de"]
}
removed {
  from = text_message.t["fr"]
}
removed { # ERROR: Conflicting removed block
  from = text_message.t["fr"]
}
removed {
  from = "text_message.t" # ERROR: Invalid address
}
removed {} # ERROR: Missing required argument
removed { # ERROR: Conflicting removed block
  from = campaign.old
}
moved { # ERROR: Undeclared reference
  from = campaign.old
  to   = campaign.new
}
