provider "sandbox" "main" {
  url = env("SANDBOX")
}

import {
  to = template.welcome
  id = "welcome"
}

import {
  to = template.sale
  id = "spring_sale_2026"
}

import {
  to = template.code.en
  id = "login_code/en"
}

import {
  to = template.cards
  id = "cards"
}

import {
  to = template.picture
  id = "picture"
}

import {
  to = template.mixed
  id = "mixed"
}
