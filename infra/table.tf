# What the system remembers and is asked for: alerts, what happened to their comments, decisions, digests, budgets, breakers.

locals {
  # The indexes that the code asks. A test of shared/bucket/ledger compares the two, and writes this file anew.
  indexes = jsondecode(file("${path.module}/indexes.json"))

  # By name, so that roles need not wait for the table.
  table_name = "${var.prefix}-state"
  table_arn  = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.table_name}"
}

resource "aws_dynamodb_table" "this" {
  name         = local.table_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  # A table that holds a ledger is not thrown away with the rest.
  deletion_protection_enabled = !local.local

  dynamic "attribute" {
    for_each = toset(concat(["pk", "sk"], flatten([for it in local.indexes : [it.partition, it.sort]])))
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.indexes
    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.partition
      range_key          = global_secondary_index.value.sort
      projection_type    = "INCLUDE"
      non_key_attributes = global_secondary_index.value.holds
    }
  }

  # What expired is deleted within days, and until then nobody is shown it.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  # Whoever can restore the table can read texts that were taken out of it since.
  dynamic "point_in_time_recovery" {
    for_each = local.local || var.recovery_days == null ? [] : [var.recovery_days]
    content {
      enabled                 = true
      recovery_period_in_days = point_in_time_recovery.value
    }
  }

  # Without this it is encrypted with a key of DynamoDB's own.
  dynamic "server_side_encryption" {
    for_each = var.table_key_arn == null ? [] : [var.table_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}
