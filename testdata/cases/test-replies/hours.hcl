text_message "hours" {
  body = "We are open\nMon to Fri 9 to 18\nSat 10 to 14"
}
