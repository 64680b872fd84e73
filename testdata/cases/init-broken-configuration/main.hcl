campaign "x" {
