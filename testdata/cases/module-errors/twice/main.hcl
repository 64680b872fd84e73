variable "name" {
  type = string
  validation {
    condition     = var.name != "Ada"
    error_message = "Ada has it already."
  }
}
module "inner" {
  source = "./again"
  name   = var.name
}
output "name" { value = var.name }
