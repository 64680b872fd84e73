variable "x" {} # ERROR: Missing variable value
# ---
variable "x" {
  type = strin # ERROR: Invalid type
  default = "a"
}
# ---
variable "x" {
  type    = number
  default = "many" # ERROR: Invalid variable value
}
# ---
variable "x" {
  default = var.y # ERROR: Name not available here
}
variable "y" { default = 1 }
# ---
variable "x" {
  type = list(string)
  default = "a" # ERROR: Invalid variable value
}
# ---
variable "x" { # ERROR: Invalid value for variable
  default = 3
  validation {
    condition     = var.x > 5
    error_message = "Must be more."
  }
}
# ---
variable "x" {
  default = 3
  validation {
    condition     = 1 > 5 # ERROR: Invalid value
    error_message = "Must be more."
  }
}
# ---
variable "x" {
  default = 3
  validation { # ERROR: Missing required argument
    condition = var.x > 2
  }
}
# ---
variable "x" {
  default = 3
  validation {
    condition     = "${var.x}" # ERROR: Unsuitable value
    error_message = "No."
  }
}
# ---
variable "x" {
  default  = null # ERROR: Invalid variable value
  nullable = false
}
# ---
variable "x" {
  default = 1
  sensitiv = true # ERROR: Unsupported argument
}
# ---
variable "x" {
  default = 1
  description = ["a"] # ERROR: Unsuitable value
}
# ---
variable "x" { default = 1 }
variable "x" { default = 2 } # ERROR: Duplicate declaration
# ---
variable "x" {
  type    = list(number)
  default = ["1e100000000"] # ERROR: Invalid variable value
}
# ---
variable "x" { default = 1 }
text_message "m" { body = "${-"1e100000000"}" } # ERROR: Number out of range
