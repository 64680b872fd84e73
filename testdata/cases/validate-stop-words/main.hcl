variable "more" {
  type    = list(string)
  default = ["Schluss damit", "stopp"]
}

stop_words "de" {
  anywhere = ["Post einstellen", "abmelden", "!", ""]
  alone    = var.more
  unclear  = ["post einstellen!", "quit"]
  ignore   = ["Wetter", "stop"]
}

stop_words "any" {
  alone  = ["start", "bitte", "0"]
  ignore = ["end"]
}

stop_words "German" {
  alone = ["Ruhe"]
}

stop_words "fr" {}

stop_words "fr" {
  alones = ["silence"]
}
