provider "sandbox" "main" {
  url        = env("SANDBOX")
  wire       = "dialog360"
  throughput = 1000
}

catalog "shop" {
  id = "194836987003835"
  product "mug" {
    title = "Mug"
  }
  product "bowl" {
    title = "Bowl"
  }
}

audience "one" {
  contact "+4915112345601" {
    name = "Ada"
  }
  consent    = true
  attributes = { name = row.name }
}

text_message "text" {
  body        = "Hello ${recipient.name}, see https://example.com"
  preview_url = true
}

list_message "list" {
  body   = "Browse our catalog for ${recipient.name}:"
  button = "View catalog"

  section "Featured products" {
    row "mug" {
      title       = "Mug"
      description = "For tea"
    }
  }
  section "Bundles" {
    row "set" {
      title = "Set"
    }
  }
}

button_message "buttons" {
  body = "Shall we?"
  button "yes" {
    title = "Yes"
  }
  button "no" {
    title = "No"
  }
}

media_message "image" {
  image   = "https://example.com/mug.jpg"
  caption = "A mug"
}

product_message "product" {
  catalog = catalog.shop
  product = "mug"
  body    = "Our mug"
}

product_list_message "products" {
  catalog = catalog.shop
  header  = "Kitchen"
  body    = "For ${recipient.name}"

  section "Drinking" {
    products = ["mug"]
  }
  section "Eating" {
    products = ["bowl"]
  }
}

template_message "template" {
  template = "spring_reopen"
  language = "en"
  body     = [recipient.name]
}

campaign "text" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = text_message.text
  window   = "assume_open"
}

campaign "list" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = list_message.list
  window   = "assume_open"
}

campaign "buttons" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = button_message.buttons
  window   = "assume_open"
}

campaign "image" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = media_message.image
  window   = "assume_open"
}

campaign "product" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = product_message.product
  window   = "assume_open"
}

campaign "products" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = product_list_message.products
  window   = "assume_open"
}

campaign "template" {
  provider = provider.sandbox.main
  audience = audience.one
  message  = template_message.template
  window   = "assume_open"
}
