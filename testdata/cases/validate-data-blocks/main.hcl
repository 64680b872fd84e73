provider "sandbox" "main" {}

data "templte" "otp" {
  provider = provider.sandbox.main
  name     = "login_code"
}

data "template" "otp" {
  provider = provider.sandbox.mian
  name     = "Login-Code"
}

data "template" "otp" {
  provider = provider.sandbox.main
  name     = "login_code"
}

data "template" "bare" {}

data "template" "good" {
  provider = provider.sandbox.main
  name     = "login_code"
}

locals {
  chosen = data.template.good
}

template_message "misspelt" {
  template = data.template.god
  language = "en_US"
}

template_message "in_a_text" {
  template = "${data.template.good.address}"
  language = "en_US"
}

template_message "by_its_label" {
  template = data.template.good.name
  language = "en_US"
}

template_message "through_a_local" {
  template = local.chosen
  language = "en_US"
}

template_message "as_a_text" {
  template = "login_code"
  language = "en_US"
}
