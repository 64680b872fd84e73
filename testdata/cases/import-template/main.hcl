provider "sandbox" "main" {
  url = env("SANDBOX")
}

template "hello" {
  provider   = provider.sandbox.main
  name       = "hello_there"
  category   = "utility"
  parameters = ["Ana"]
  translation "en" { body = "Hello {{1}}, how are you?" }
  translation "de" { body = "Hallo {{1}}, wie geht es?" }
}

template "dear" {
  provider = provider.sandbox.main
  category = "marketing"
  translation "en" { body = "It is dear." }
}
