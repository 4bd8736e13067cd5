data "aws_caller_identity" "this" {
  lifecycle {
    postcondition {
      condition     = var.expected_account_id == null || self.account_id == var.expected_account_id
      error_message = "These credentials are of account ${self.account_id}, expected_account_id is ${coalesce(var.expected_account_id, "not set")}: set AWS_PROFILE, or correct the variable."
    }
  }
}

data "aws_region" "this" {
  lifecycle {
    postcondition {
      condition     = var.expected_region == null || self.name == var.expected_region
      error_message = "The region is ${self.name}, expected_region is ${coalesce(var.expected_region, "not set")}: set AWS_REGION or `region`, or correct the variable."
    }
  }
}

data "aws_partition" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  region     = data.aws_region.this.name
  partition  = data.aws_partition.this.partition
}
