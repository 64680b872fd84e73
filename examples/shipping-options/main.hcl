# A shop asks how an order shall be shipped, over Kaleyra's wire format. One
# contact block each stands for the orders of the day; a job that runs every few
# minutes would read them from the shop's database with a source "sql" block.

variable "order" {
  type        = string
  default     = "A-1042"
  description = "Number of the order that is about to leave."
}

# To send through Kaleyra, put this in its place:
#
#   provider "kaleyra" "main" {
#     sid          = "HXAP1600000097IN"
#     api_key      = env("KALEYRA_API_KEY")
#     phone_number = "+919900000000"
#     region       = "in"
#   }
provider "sandbox" "main" {
  wire = "kaleyra"
}

list_message "shipping" {
  header = "Shipping Options"
  body   = "Choose your shipping option for order ${value.order}, ${recipient.name}."
  footer = "You can change it until the parcel leaves."
  button = "Options"

  section "I want it ASAP!" {
    row "priority_express" {
      title       = "Priority Mail Express"
      description = "Next day to 2 days"
    }
    row "priority_mail" {
      title       = "Priority Mail"
      description = "1 to 3 days"
    }
  }
  section "I can wait a bit" {
    row "interoffice_ground" {
      title       = "Ground Mail"
      description = "2 to 5 days"
    }
    row "media_mail" {
      title       = "Media Mail"
      description = "2 to 8 days"
    }
  }
}

audience "buyers" {
  contact "+919812345601" {
    name       = "Priya"
    ordered_at = "2026-03-02T11:20:00Z"
  }
  contact "+919812345602" {
    name       = "Arjun"
    ordered_at = "2026-03-02T09:45:00Z"
  }
  contact "+919812345603" {
    name       = "Meera"
    ordered_at = ""
  }
  last_inbound = row.ordered_at
  attributes   = { name = row.name }
}

campaign "shipping" {
  provider = provider.sandbox.main
  audience = audience.buyers
  message  = list_message.shipping
  values   = { order = var.order }
}
