# A spring campaign: everybody who wrote to us in the last day gets the catalog
# as a list, and whoever did not gets a template that reopens the conversation.
#
#   handbill init
#   handbill plan
#   handbill apply
#
# Nothing leaves this machine while the provider is the sandbox.

variable "product_context" {
  type        = string
  default     = "spring promotion"
  description = "What the message says that the catalog is for."
}

# The sandbox speaks 1msg's wire format here, so that what is sent is what 1msg
# would get. To send through 1msg, put this in its place and name
# provider.onemsg.main in the campaign:
#
#   provider "onemsg" "main" {
#     channel_id = "ABC123"
#     token      = env("ONEMSG_TOKEN")
#   }
provider "sandbox" "main" {
  wire = "onemsg"
}

catalog "spring" {
  id = "194836987003835"

  product "prod_alpha" {
    title       = "Alpha Widget"
    description = "Compact model"
    price       = "19.90 EUR"
  }
  product "prod_beta" {
    title       = "Beta Widget"
    description = "Standard model"
    price       = "29.90 EUR"
  }
  product "bundle_starter" {
    title       = "Starter pack"
    description = "Two items included"
    price       = "44.90 EUR"
  }
  product "bundle_pro" {
    title       = "Pro pack"
    description = "Four items included"
    price       = "79.90 EUR"
  }
}

locals {
  sections = {
    "Featured products" = ["prod_alpha", "prod_beta"]
    "Bundles"           = ["bundle_starter", "bundle_pro"]
  }
}

list_message "browse" {
  body   = "Browse our catalog for ${value.context}, ${recipient.name}:"
  button = "View catalog"

  section "Featured products" {
    dynamic "row" {
      for_each = local.sections["Featured products"]
      labels   = [row.value]
      content {
        title       = catalog.spring.products[row.value].title
        description = catalog.spring.products[row.value].description
      }
    }
  }
  section "Bundles" {
    dynamic "row" {
      for_each = local.sections["Bundles"]
      labels   = [row.value]
      content {
        title       = catalog.spring.products[row.value].title
        description = catalog.spring.products[row.value].description
      }
    }
  }
}

template_message "reopen" {
  template = "spring_reopen"
  language = "en"
  body     = [recipient.name]
}

# last_seen is from the shop's export. Whoever wrote to us more than a
# day ago has a closed window and gets the template, if they agreed to that.
audience "customers" {
  source "csv" {
    path = "contacts.csv"
  }
  region       = "DE" # for numbers without a country code
  exclude      = [audience.stopped]
  consent      = row.opted_in == "yes"
  last_inbound = row.last_seen
  attributes   = { name = row.first_name }
}

# Those who asked elsewhere not to be written to.
audience "stopped" {
  contact "+4915112345607" {}
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.browse
  fallback = template_message.reopen
  values   = { context = var.product_context }
  window   = "assume_open" # where last_seen is empty; leave this out with a real number
}

output "offer" {
  description = "What is offered, for the report to the team."
  value       = "${length(catalog.spring.products)} products for the ${var.product_context}"
}
