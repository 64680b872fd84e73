provider "onemsg" "main" {
  chanel_id = "X"
}

provider "teleport" "x" {}

provider "cloud" "main" {
  phone_number_id = "1"
  access_token    = env("NOT_SET")
}
