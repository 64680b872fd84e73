catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_message "p" {
  catalog = catalog.s
  product = "prod_b" # ERROR: Unknown product
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_message "p" {
  catalog = catalog.s
  product = catalog.s.products["prod_b"] # ERROR: Unknown product
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_message "p" {
  catalog = catalog.x # ERROR: Undeclared reference
  product = "prod_a"
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_list_message "p" {
  catalog = catalog.s
  header = "H"
  body = "x"
  section "One" {
    products = ["prod_a", "prod_z"] # ERROR: Unknown product
  }
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_list_message "p" { # ERROR: Missing required argument
  catalog = catalog.s
  body = "x"
  section "One" { products = ["prod_a"] }
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_list_message "p" {
  catalog = catalog.s
  header = "H"
  body = "x"
  section "One" { products = recipient.list } # ERROR: Shape depends on recipient
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
product_list_message "p" {
  catalog = catalog.s
  header = "H"
  body = "x"
  section "One" { products = 3 } # ERROR: Unsuitable value
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
catalog "t" {
  id = "2"
  product "prod_x" {}
}
product_message "p" {
  catalog = catalog.s
  product = catalog.t.products["prod_x"] # ERROR: Unknown product
}
# ---
catalog "s" {
  id = "1"
  product "prod_a" { title = "A" }
}
catalog_message "p" {
  catalog = catalog.s
  body = "x"
  thumbnail = "prod_zz" # ERROR: Unknown product
}
