# A person writes for the first time about a product or service. The request is
# acknowledged, a manager is named, and a person takes over.
#
# Source of the scenario: 1msg, "session reply: incoming client request".

provider "sandbox" "main" {
  wire = "onemsg"
}

locals {
  topics = {
    crm       = { title = "CRM for a sales team", manager = "Anna" }
    telephony = { title = "Telephony", manager = "Boris" }
    support   = { title = "Help with your account", manager = "Carla" }
  }
}

text_message "received" {
  body = "Hello, ${coalesce(recipient.name, "there")}! We received your request about «${value.topic}». ${value.manager} is reviewing it and will reply shortly."
}

text_message "closed" {
  body = "Hello, ${coalesce(recipient.name, "there")}! We received your message and answer from 9 a.m. on."
}

# At night nobody reviews requests, and the answer says so, once.
reply_rule "night" {
  priority = 20
  cooldown = "8h"

  when {
    any      = true
    time     = "20:00-09:00"
    timezone = "Europe/Berlin"
  }

  reply = text_message.closed
}

# A request with a topic: the manager of that topic takes over, and the rules
# are silent for this person until "handbill" is given the conversation back.
reply_rule "request" {
  priority = 10

  when { text = "(?i)\\b(?P<topic>crm|telephony|support)\\b" }

  values = {
    topic   = local.topics[lower(match.topic)].title
    manager = "Manager ${local.topics[lower(match.topic)].manager}"
  }
  reply    = text_message.received
  set      = { topic = lower(match.topic), manager = local.topics[lower(match.topic)].manager }
  handover = true

  forward { url = "https://crm.example.com/leads" }
}

# The first message of a new person, on any topic.
reply_rule "first_contact" {
  when { first_contact = true }

  values = {
    topic   = "our products"
    manager = "Our team"
  }
  reply = text_message.received
}
