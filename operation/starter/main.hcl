# A campaign to start from. Nothing leaves this machine: the provider is the
# sandbox. See it with "handbill plan", send it with "handbill apply".

variable "context" {
  type        = string
  default     = "spring promotion"
  description = "What the message says that the catalog is for."
}

provider "sandbox" "main" {}

audience "customers" {
  source "csv" { path = "contacts.csv" }
  filter       = row.opted_in == "yes"
  last_inbound = row.last_seen
  attributes   = { name = row.first_name }
}

list_message "browse" {
  body   = "Hello ${recipient.name}, browse our catalog for ${value.context}:"
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

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.browse
  values   = { context = var.context }
  window   = "assume_open" # the sandbox has no history; leave this out with a real number
}
