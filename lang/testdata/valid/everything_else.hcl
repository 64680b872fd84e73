handbill {
  required_version = ">= 0.3, < 1.0"
  state "sqlite" { path = "${var.stage}.state" }
}

variable "stage" {
  type        = string
  default     = "test"
  description = "Which state is used."
  validation {
    condition     = contains(["test", "live"], var.stage)
    error_message = "The stage is test or live."
  }
}

variable "people" {
  type    = list(object({ name = string, vip = optional(bool, false) }))
  default = [{ name = "Ann" }]
}

locals {
  greeting = "Hello ${local.name}"
  name     = upper(var.people[0].name)
}

provider "sandbox" "main" { seed = 7 }

audience "staff" {
  contact "+4915112345678" { name = "Ann" }
  contact "US.13491208655302741918" {
    name = "Bob"
    age  = 40
  }
  optional = ["age"]
}

audience "customers" {
  source "sql" {
    driver = "postgres"
    dsn    = env("ONEMSG_TOKEN")
    query  = "SELECT phone, name FROM customers"
  }
  columns    = ["phone", "name"]
  attributes = { name = row.name }
  exclude    = [audience.staff]
  consent    = true
}

text_message "hi" {
  body = "${local.greeting}, ${recipient.name} ${value.item.title}"
}

button_message "confirm" {
  body = "Still interested, ${recipient.name}?"
  button "yes" { title = "Yes" }
}

text_message "stock" {
  body = "There are ${value.left} left, ${coalesce(recipient.name, "you")}."
}

campaign "hello" {
  provider = provider.sandbox.main
  audience = audience.staff
  message  = text_message.hi
  values   = { item = { title = "cup for ${recipient.name}" } }
  quote    = "wamid.HBgNNDkxNTExMjM0NTY3OA"
  revision = 2
  identity_key_hash = "DF2lS5v2W6x="
  testers  = ["+4915112345679"]
  limit {
    per_recipient  = "1 per 24h"
    total          = 5000
    max_recipients = 10
    max_change     = 0.5
  }
  canary {
    percent          = 5
    wait             = "1h"
    max_failure_rate = 0.1
  }
  stop_if {
    failure_rate = 0.5
    over         = 10
  }
}

reply_rule "stock" {
  priority = 10
  cooldown = "1m"
  when {
    text      = "stock of (?P<sku>\\w+)"
    condition = !recipient.opted_out
    time      = "08:00-20:00"
    timezone  = "Europe/Berlin"
  }
  lookup "stock" {
    url      = "https://stock.example.com/${match.sku}"
    headers  = { Authorization = env("ONEMSG_TOKEN") }
    timeout  = "2s"
    fallback = { left = 0 }
  }
  values = { left = lookup.stock.left }
  reply  = text_message.stock
  set    = { interest = match.sku }
}

reply_rule "yes" {
  when {
    button_reply = button_message.confirm
    payload      = "yes"
  }
  forward {
    url    = "https://crm.example.com/yes"
    secret = env("ONEMSG_TOKEN")
  }
  handover  = true
  mark_read = true
}

check "size" {
  assert {
    condition     = plan.campaign["hello"].send <= 5000
    error_message = "Too many: ${plan.campaign["hello"].send}."
  }
}

output "sent" { value = plan.campaign["hello"].send }

output "secret" {
  value     = env("ONEMSG_TOKEN")
  sensitive = true
}

moved {
  from = campaign.old
  to   = campaign.hello
}

stop_words "pt-BR" {
  anywhere = ["tirem o meu contato"]
  alone    = ["quero paz", "sossego"]
}
