locals {
  # By name, so that functions and roles need not wait for the streams.
  stream_names = { for name in ["comments", "predictions", "decisions"] : name => "${var.prefix}-${name}" }
  stream_arns  = { for name, full in local.stream_names : name => "arn:${local.partition}:kinesis:${local.region}:${local.account_id}:stream/${full}" }
}

resource "aws_kinesis_stream" "this" {
  for_each = local.stream_names

  name = each.value
  # People decide, so one shard will do.
  shard_count      = each.key == "decisions" ? 1 : var.shards
  retention_period = var.retention_hours

  encryption_type = local.local ? "NONE" : "KMS"
  kms_key_id      = local.local ? null : "alias/aws/kinesis"

  stream_mode_details {
    stream_mode = "PROVISIONED"
  }
}
