output "planned" { value = plan.total.messages }
output "secret" { value = var.token }
variable "token" {
  default   = "x"
  sensitive = true
}
