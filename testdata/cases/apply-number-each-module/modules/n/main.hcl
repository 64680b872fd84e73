variable "number" { type = reference(provider) }
commerce_settings "shop" {
  provider        = var.number
  is_cart_enabled = false
}
