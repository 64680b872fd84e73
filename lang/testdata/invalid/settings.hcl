handbill {}
handbill {} # ERROR: Duplicate block
text_message "m" { body = "Hello" }
# ---
handbill { required_version = ">= 2.0" } # ERROR: Unsupported handbill version
text_message "m" { body = "Hello" }
# ---
handbill { required_version = "newest" } # ERROR: Invalid value
text_message "m" { body = "Hello" }
# ---
handbill {
  state "mysql" {} # ERROR: Invalid value
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {} # ERROR: Missing required argument
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {
    url = "postgres://me:secret@db/x" # ERROR: Secret in plain text
  }
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {
    url    = "postgres://db/x"
    schema = "Handbill" # ERROR: Invalid value
  }
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {
    url    = "postgres://db/x"
    schema = "pg_state" # ERROR: Invalid value
  }
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {
    url    = "postgres://db/x"
    schema = "1st" # ERROR: Invalid value
  }
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {
    url    = "postgres://db/x"
    schema = "a b" # ERROR: Invalid value
  }
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "postgres" {
    url    = "postgres://db/x"
    schema = "" # ERROR: Invalid value
  }
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "sqlite" { path = "" } # ERROR: Invalid value
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "sqlite" { file = "x" } # ERROR: Unsupported argument
}
text_message "m" { body = "Hello" }
# ---
handbill {
  state "sqlite" {}
  state "sqlite" {} # ERROR: Duplicate block
}
text_message "m" { body = "Hello" }
# ---
stop_words "German" { alone = ["Ruhe"] } # ERROR: Invalid value
text_message "m" { body = "Hello" }
# ---
stop_words "de" {} # ERROR: Missing required argument
text_message "m" { body = "Hello" }
# ---
stop_words "de" {
  alone = [row.word] # ERROR: Name not available here
}
text_message "m" { body = "Hello" }
# ---
stop_words "de" { alone = ["Ruhe"] }
stop_words "de" { unclear = ["Abo"] } # ERROR: Duplicate declaration
text_message "m" { body = "Hello" }
