provider "sandbox" "main" {}
text_message   "hello" {
# a comment that stays
body="Hello"
   preview_url =   true
}
