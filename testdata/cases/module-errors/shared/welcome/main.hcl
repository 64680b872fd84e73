variable "number" { type = reference(provider) }

audience "people" {
  contact "+4915112345601" {}
}

text_message "hello" {
  body = file("${path.module}/words.txt")
}

campaign "hello" {
  provider = var.number
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
