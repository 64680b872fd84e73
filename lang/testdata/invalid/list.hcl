list_message "l" { # ERROR: Missing required argument; Missing required argument
  section "One" {
    row "a" { title = "A" }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = "1234567890123456789012345" } # ERROR: Invalid message
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" {} # ERROR: Missing required argument
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = "A" }
    row "a" { title = "B" } # ERROR: Invalid message
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row { title = "A" } # ERROR: Missing id for row
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = null } # ERROR: Missing value
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = ["A"] } # ERROR: Unsuitable value
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = env("ONEMSG_TOKEN") } # ERROR: Sensitive value not allowed
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { titel = "A" } # ERROR: Unsupported argument; Missing required argument
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = recipient.cities # ERROR: Shape depends on recipient
      labels   = [row.key]
      content { title = "x" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "rwo" { # ERROR: Unsupported block type
      for_each = ["a"]
      content { title = "x" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" { # ERROR: Invalid dynamic block
      for_each = ["a"]
      content { title = "x" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" { # ERROR: Invalid dynamic block
      for_each = ["a"]
      labels   = [row.value]
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = 3 # ERROR: Invalid dynamic block
      labels   = [row.value]
      content { title = "x" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = ["a"]
      labels   = [row.value, "b"] # ERROR: Invalid dynamic block
      content { title = "x" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = ["a"]
      iterator = recipient # ERROR: Reserved name
      labels   = ["b"]
      content { title = "x" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = [{ t = "a" }]
      labels   = ["b"]
      content { title = row.value.titel } # ERROR: Unsupported attribute
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = range(20000) # ERROR: Error in function call
      labels   = [row.key]
      content { title = "a" }
    }
  }
}
# ---
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    dynamic "row" {
      for_each = [for a in split("", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") : a]
      labels   = ["r${row.key}"]
      content {
        title = "T"
        dynamic "x" { # ERROR: Unsupported block type
          for_each = []
          content {}
        }
      }
    }
  }
}
