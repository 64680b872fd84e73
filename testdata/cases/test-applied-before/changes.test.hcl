run "one text is new and one is another" {
  state {
    applied = "before/main.hcl"
  }

  assert {
    condition     = plan.changes.create == 1 && plan.changes.update == 1 && plan.changes.delete == 0
    error_message = "one new, one changed"
  }

  golden = "changes.md"
}

run "nothing changes after an apply" {
  state {
    applied = true
  }

  assert {
    condition     = plan.changes.create + plan.changes.update + plan.changes.delete == 0
    error_message = "there are changes"
  }
}

run "a file that is not there" {
  state {
    applied = ["before/none.hcl"]
  }

  golden = "x.txt"
}
