provider "sandbox" "main" {}

audience "customers" {
  contact "+4915112345671" {}
  contact "+4915112345672" {}
}

text_message "hello" { body = "Hello." }

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}

campaign "summer" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}

output "spring" { value = plan.campaign.spring.recipients }
output "all" { value = plan.campaign.spring.recipients + plan.campaign["summer"].recipients }

check "few" {
  assert {
    condition     = plan.campaign.spring.messages + plan.campaign.summer.messages <= 3
    error_message = "More than three messages."
  }
}
