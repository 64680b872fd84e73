# One campaign, two environments: the values of each are in environments/*.vars.hcl,
# and each has its own state.

handbill {
  required_version = ">= 0.1.0"

  state "sqlite" { path = "${var.state_directory}/${var.environment}.state" }
}

variable "environment" {
  type        = string
  description = "Which environment: dev or prod."

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "There are two environments, dev and prod."
  }
}

variable "state_directory" {
  type        = string
  default     = "."
  description = "Where states are kept: a directory on the disk of the machine that applies, never a checkout that is thrown away."
}

variable "contacts" {
  type        = string
  description = "The file of contacts, relative to this directory."
}

variable "most" {
  type        = number
  description = "How many messages one plan may send."
}

provider "sandbox" "main" {
  url = env("SANDBOX_URL")
}

audience "customers" {
  source "csv" { path = var.contacts }
  filter       = row.opted_in == "yes"
  consent      = row.opted_in == "yes"
  last_inbound = row.last_seen
  attributes   = { name = row.first_name }
}

list_message "browse" {
  body   = "Hello ${recipient.name}, browse our catalog:"
  button = "View catalog"

  section "Featured products" {
    row "prod_alpha" {
      title       = "Alpha Widget"
      description = "Compact model"
    }
    row "prod_beta" {
      title       = "Beta Widget"
      description = "Standard model"
    }
  }
}

text_message "thanks" {
  body = "Thank you! We will be in touch."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.browse
  window   = "assume_open"
}

reply_rule "picked" {
  provider = provider.sandbox.main
  when { list_reply = list_message.browse }
  reply = text_message.thanks
}

check "not_too_many" {
  assert {
    condition     = plan.total.messages <= var.most
    error_message = "The plan sends ${plan.total.messages} messages; this environment allows ${var.most}."
  }
}
