text_message "hello" {
