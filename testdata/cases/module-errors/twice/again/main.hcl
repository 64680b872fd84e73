variable "name" {}
text_message "hello" {
  body = "Hello ${local.secret} ${var.name}${var.nme}"
}
