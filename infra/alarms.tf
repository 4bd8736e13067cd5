# docs/operations.md says of each what it means and what to do.

locals {
  alarms = merge(
    # Not "every minute": an invocation that times out takes a minute, and Lambda waits before it tries again.
    { for name in local.function_names : "${name}-errors" => {
      description = "${name} fails as a whole, three times or more in five minutes; nothing is lost, its batches come again"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      statistic   = "Sum"
      dimensions  = { FunctionName = "${var.prefix}-${name}" }
      period      = 300
      periods     = 1
      above       = 2
    } },
    # The limit is the account's, so whichever function meets it, all of them do. One alarm without a function's name says so.
    { throttles = {
      description = "Functions of this account are not started as often as they should: its concurrency is used up"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      statistic   = "Sum"
      dimensions  = {}
      period      = 60
      periods     = 5
      above       = 0
    } },
    { for name in keys(local.readers) : "${name}-iterator-age" => {
      description = "${name} is more than a minute behind its stream"
      namespace   = "AWS/Lambda"
      metric      = "IteratorAge"
      statistic   = "Maximum"
      dimensions  = { FunctionName = "${var.prefix}-${name}" }
      period      = 60
      periods     = 3
      above       = 60 * 1000
    } },
    { given-up = {
      description = "Lambda gave up on a batch; it lies whole in the bucket, under aws/lambda/"
      namespace   = "AWS/S3"
      metric      = "PutRequests"
      statistic   = "Sum"
      dimensions  = { BucketName = aws_s3_bucket.this.bucket, FilterId = "given-up" }
      period      = 60
      periods     = 1
      above       = 0
    } },
    # The pages are invoked by who waits for them, and Lambda tries none of that again.
    { for name in setsubtract(local.function_names, keys(local.pages)) : "${name}-lost" => {
      description = "Lambda gave up on work of ${name} and could not write it to the bucket"
      namespace   = "AWS/Lambda"
      metric      = "DestinationDeliveryFailures"
      statistic   = "Sum"
      dimensions  = { FunctionName = "${var.prefix}-${name}" }
      period      = 60
      periods     = 1
      above       = 0
    } },
    { for kind in ["Read", "Write"] : "table-${lower(kind)}-throttles" => {
      description = "${kind}s of the table ${local.table_name} are refused for their number; functions try them again, and fall behind"
      namespace   = "AWS/DynamoDB"
      metric      = "${kind}ThrottleEvents"
      statistic   = "Sum"
      dimensions  = { TableName = local.table_name }
      period      = 60
      periods     = 5
      above       = 0
    } },
    { undelivered = {
      description = "A subscriber did not take alerts; they lie in the queue ${aws_sqs_queue.undelivered.name}"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      statistic   = "Maximum"
      dimensions  = { QueueName = aws_sqs_queue.undelivered.name }
      period      = 300
      periods     = 1
      above       = 0
    } },
    local.front_door_alarms,
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimensions
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  # No traffic, no metric.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
}
