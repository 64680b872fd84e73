run "a phrase of the block stops, in any few words" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345601"
    text = "Bitte die POST einstellen, Herr Maier"
  }

  assert {
    condition     = reply.stop_word == "Post einstellen" && plan.campaign["spring"].recipient["+4915112345601"].reason == "opted_out"
    error_message = "Ada said stop"
  }
}

run "a word that counts alone stops alone" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345601"
    text = "Ruhe, bitte!"
  }
  event "inbound" {
    from = "+4915112345602"
    text = "Ich will es in Ruhe lesen"
  }

  assert {
    condition     = replies[0].stop_word == "Ruhe" && replies[1].stop_word == null && plan.campaign["spring"].skipped["opted_out"] == 1
    error_message = "Ada said stop, and Ben did not"
  }
}

run "a word that is ignored stops nothing, and an unclear one pauses" {
  at = "2026-03-02T12:00:00Z"

  event "inbound" {
    from = "+4915112345601"
    text = "Ende"
  }
  event "inbound" {
    from = "+4915112345602"
    text = "Abo"
  }
  event "inbound" {
    from = "+4915112345603"
    text = "Abo"
  }
  event "inbound" {
    from = "+4915112345603"
    text = "START"
  }

  assert {
    condition     = replies[0].stop_word == null && plan.campaign["spring"].recipient["+4915112345601"].action == "send"
    error_message = "in this shop the word is about orders"
  }
  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345602"].reason == "opted_out" && plan.campaign["spring"].recipient["+4915112345603"].action == "send"
    error_message = "Ben is asked, and Cleo has answered"
  }
}

run "START of somebody who never stopped changes nothing" {
  at = "2026-03-02T12:00:00Z"

  state {
    opted_out = ["+4915112345602"]
  }

  event "inbound" {
    from = "+4915112345601"
    text = "START"
  }
  event "inbound" {
    from = "+4915112345602"
    text = "START"
  }

  assert {
    condition     = plan.campaign["spring"].recipient["+4915112345601"].action == "send" && plan.campaign["spring"].recipient["+4915112345602"].reason == "opted_out"
    error_message = "START lifts a pause, and no opt-out"
  }
}
