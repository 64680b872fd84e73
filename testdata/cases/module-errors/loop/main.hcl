module "other" { source = "../loop/../loop" }
