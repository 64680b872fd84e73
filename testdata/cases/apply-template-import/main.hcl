provider "sandbox" "main" {
  url = env("SANDBOX")
}

template "there_same" {
  provider = provider.sandbox.main
  category = "utility"
  translation "en" { body = "Hello there." }
  translation "de" { body = "Hallo." }
}

template "other" {
  provider = provider.sandbox.main
  name     = "there_other"
  category = "utility"
  translation "en" { body = "Hello there, in other words." }
}

import {
  to = template.there_same
  id = "there_same"
}

import {
  to = template.other.en
  id = "there_other/en"
}
