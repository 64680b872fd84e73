# Every kind of message, sent by nobody.
variable "host" { default = "https://example.com" }

locals {
  cities = ["Bonn", "Cologne"]
  logo   = media_id("1234")
}

catalog "shop" {
  id       = "1"
  products = csv("products.csv")
}

text_message "text" {
  body        = "See ${var.host}/x"
  preview_url = true
}

list_message "list" {
  header = "Cities"
  body   = "Which one, ${recipient.name}?"
  footer = "You can change it later"
  button = "Choose"
  dynamic "section" {
    for_each = { North = ["Kiel"], South = ["Ulm", "Hof"] }
    iterator = part
    labels   = [part.key]
    content {
      dynamic "row" {
        for_each = part.value
        labels   = [lower(row.value)]
        content {
          title       = row.value
          description = "${part.key} of here, ${value.note}"
        }
      }
    }
  }
}

button_message "buttons" {
  header { image = "${var.host}/a.png" }
  body = "Yes or no?"
  button "yes" { title = "Yes" }
  button "no" { title = "No" }
}

link_message "link" {
  header = "News"
  body   = "Read on"
  button = "Open"
  url    = "${var.host}/c/${recipient.code}"
}

media_message "media" {
  document = "${var.host}/a.pdf"
  filename = "a.pdf"
  caption  = "For ${recipient.name}"
}

media_message "uploaded" {
  image = media_id("9876")
}

media_message "logo" {
  image = local.logo
}

location_request_message "where" {
  body = "Where are you?"
}

product_message "one" {
  catalog = catalog.shop
  product = catalog.shop.products["prod_a"]
  body    = "New"
}

product_list_message "several" {
  catalog = catalog.shop
  header  = "Shop"
  body    = "Look"
  section "All" {
    products = ["prod_a"]
  }
}

catalog_message "whole" {
  catalog   = catalog.shop
  body      = "Everything"
  thumbnail = "prod_a"
}

flow_message "flow" {
  body    = "Book a table"
  button  = "Book"
  flow_id = "77"
  screen  = "START"
  data    = { name = recipient.name, guests = 2 }
}

template_message "positional" {
  template = "order"
  language = "en_US"
  header { image = "${var.host}/h.png" }
  body = [recipient.name, { currency = { fallback = "19.90 EUR", code = "EUR", amount_1000 = 19900 } }, { date_time = "Monday" }]
  button "0" {
    type = "url"
    text = recipient.code
  }
}

template_message "named" {
  template = "order"
  language = "en"
  header {
    text           = recipient.name
    parameter_name = "who"
  }
  body = { name = recipient.name, city = "Bonn" }
}

template_message "offer" {
  template = "offer"
  language = "en"
  body     = [recipient.name]
  limited_time_offer { expires = "1767225600000" }
}

template_message "carousel" {
  template = "cards"
  language = "en"
  dynamic "card" {
    for_each = local.cities
    content {
      header { image = "${var.host}/${card.key}.png" }
      body = [card.value]
      button "0" {
        type = "quick_reply"
        text = "city-${card.key}"
      }
    }
  }
}

contact_message "card" {
  contact {
    formatted_name = "Ann Example"
    first_name     = "Ann"
    phone {
      phone = "+4915112345678"
      type  = "WORK"
    }
    email { email = "ann@example.com" }
  }
}

location_message "shop" {
  latitude  = 50.73
  longitude = 7.1
  name      = "Shop"
}

reaction_message "thanks" {
  message_id = value.id
  emoji      = "👍"
}

carousel_message "cards" {
  body = "Pick"
  card {
    header { image = "${var.host}/1.png" }
    body   = "One"
    button = "Open"
    url    = "${var.host}/1"
  }
  card {
    header { image = "${var.host}/2.png" }
    body   = "Two"
    button = "Open"
    url    = "${var.host}/2"
  }
}

address_request_message "address" {
  body    = "Where to?"
  country = "IN"
  values  = { name = recipient.name }
}

call_message "call" {
  body        = "Call us"
  ttl_minutes = 60
}

call_permission_request_message "may_we" {
  body = "May we call?"
}

contact_request_message "number" {
  body = "What is your number?"
}
