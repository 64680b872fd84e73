provider "sandbox" "main" {
  seed = 3
}
audience "all" {
  source "csv" {
    path = "a.csv"
  }
  columns    = ["phone", "name"]
  attributes = { name = row.name }
  consent    = true
}
button_message "ask" {
  header {
    image = "https://example.com/a.png"
  }
  body = "Hi ${recipient.name}, ${value.topic}?"
  dynamic "button" {
    for_each = ["Yes", "No"]
    labels   = [lower(button.value)]
    content {
      title = button.value
    }
  }
}
template_message "again" {
  template = "again"
  language = "en"
  body     = [recipient.name, { date_time = "Monday" }]
}
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = button_message.ask
  fallback = template_message.again
  values   = { topic = "tea" }
  limit {
    total = 5
  }
}
