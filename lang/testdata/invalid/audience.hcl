audience "a" {} # ERROR: Missing block
# ---
audience "a" {
  source "cvs" { path = "a" } # ERROR: Invalid value
}
# ---
audience "a" {
  source "csv" {} # ERROR: Missing required argument
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  contact "+4915112345678" {} # ERROR: Conflicting arguments
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  source "csv" { path = "b.csv" } # ERROR: Duplicate block
}
# ---
audience "a" {
  source "csv" {
    path = "a.csv"
    delimiter = ";;" # ERROR: Invalid value
  }
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  region = "Germany" # ERROR: Invalid value
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  columns = ["phone", "first"]
  attributes = { name = row.frist } # ERROR: Unknown column
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  columns = ["phone", "phone"] # ERROR: Invalid value
}
# ---
audience "a" { # ERROR: Missing required argument
  source "csv" { path = "a.csv" }
  columns = ["tel"]
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = { phone = row.x } # ERROR: Reserved name
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = "name" # ERROR: Unsuitable value
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = { "first name" = row.x } # ERROR: Invalid name
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = { name = row.x }
  optional = ["nmae"] # ERROR: Unknown attribute
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  filter = recipient.x == "y" # ERROR: Name not available here
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  filter = "sometimes" # ERROR: Unsuitable value
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  exclude = audience.b # ERROR: Unsuitable value
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  exclude = [audience.b] # ERROR: Undeclared reference
}
# ---
audience "a" {
  source "csv" { path = "a.csv" }
  attributes = { name = env("ONEMSG_TOKEN") } # ERROR: Sensitive value not allowed
}
# ---
audience "a" {
  source "sql" {
    driver = "oracle" # ERROR: Invalid value
    dsn    = "x"
    query  = "SELECT 1"
  }
}
# ---
audience "a" {
  source "sql" {
    driver = "postgres"
    dsn    = "host=db password=x" # ERROR: Secret in plain text
    query  = "SELECT 1"
  }
}
# ---
audience "a" {
  contact "+4915112345678" { phone = "x" } # ERROR: Reserved name
}
# ---
audience "a" {
  source "http" { url = "ftp://crm.example.com/contacts" } # ERROR: Invalid value
}
# ---
audience "a" {
  source "http" {
    url     = "https://crm.example.com/contacts"
    headers = { Authorization = "Bearer 4711" } # ERROR: Secret in plain text
  }
}
# ---
audience "a" {
  source "http" {
    url     = "https://crm.example.com/contacts"
    headers = ["X-Key"] # ERROR: Unsuitable value
  }
}
# ---
audience "a" {
  source "http" {
    url    = "https://crm.example.com/contacts"
    format = "csv"
    next   = response.json.next # ERROR: Conflicting arguments
  }
}
# ---
audience "a" {
  source "http" {
    url  = "https://crm.example.com/contacts"
    next = "https://crm.example.com/contacts" # ERROR: Unsuitable value
  }
}
# ---
audience "a" {
  source "http" {
    url  = "https://crm.example.com/contacts"
    next = response.headers.link # ERROR: Unknown attribute
  }
}
# ---
audience "a" {
  source "http" {
    url  = "https://crm.example.com/contacts"
    next = row.next # ERROR: Name not available here
  }
}
