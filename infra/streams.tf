locals {
  # The streams that there are, and how many shards each has. A shard is paid for by the hour, and people decide little: so
  # decisions are on the stream of predictions, unless they are given one.
  streams = merge(
    { comments = var.shards, predictions = var.shards },
    var.decisions_shards == 0 ? {} : { decisions = var.decisions_shards },
  )
  decisions_on = contains(keys(local.streams), "decisions") ? "decisions" : "predictions"

  # By name, so that functions and roles need not wait for the streams.
  stream_names = merge(
    { for name in ["comments", "predictions"] : name => "${var.prefix}-${name}" },
    { decisions = "${var.prefix}-${local.decisions_on}" },
  )
  stream_arns = { for name, full in local.stream_names : name => "arn:${local.partition}:kinesis:${local.region}:${local.account_id}:stream/${full}" }
}

resource "aws_kinesis_stream" "this" {
  for_each = local.streams

  name             = local.stream_names[each.key]
  shard_count      = each.value
  retention_period = var.retention_hours

  encryption_type = local.local ? "NONE" : "KMS"
  kms_key_id      = local.local ? null : "alias/aws/kinesis"

  stream_mode_details {
    stream_mode = "PROVISIONED"
  }
}
