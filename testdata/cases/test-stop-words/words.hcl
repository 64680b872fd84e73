stop_words "de" {
  anywhere = ["Post einstellen"]
  alone    = ["Ruhe"]
  unclear  = ["Abo"]
  ignore   = ["ende"]
}
