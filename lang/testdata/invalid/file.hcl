text_message "m" { # ERROR: Unclosed configuration block
  body = "Hello"
# ---
text_mesage "m" { body = "x" } # ERROR: Unsupported block type
# ---
greeting = "hello" # ERROR: Unsupported argument
# ---
text_message { body = "x" } # ERROR: Missing name for text_message
# ---
text_message "m" "n" { body = "x" } # ERROR: Extraneous label for text_message
# ---
text_message "not a name" { body = "x" } # ERROR: Invalid name
# ---
text_message "m" { body = "Hello" }
text_message "m" { body = "Again" } # ERROR: Duplicate declaration
# ---
locals { x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))) } # ERROR: Expression nested too deeply
# ---
locals { x = 1e999 } # ERROR: Number out of range
