variable "number" { type = reference(provider) }
variable "any" { type = reference(message) }
variable "names" { type = list(string) }
variable "needed" {}
variable "wrong" {
  type    = reference(providers)
  default = null
}
text_message "hello" { body = "hi" }
