handbill {
  reply_budget = "1 per 1h"
}
variable "source" { default = "" }
