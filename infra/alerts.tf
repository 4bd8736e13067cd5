locals {
  topic_name = "${var.prefix}-alerts"
  topic_arn  = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${local.topic_name}"
}

resource "aws_sns_topic" "alerts" {
  name              = local.topic_name
  kms_master_key_id = local.local ? null : "alias/aws/sns"
}

# Alerts that a subscriber did not take.
resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.prefix}-alerts-undelivered"
  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = true

  # In the queue: a policy of its own makes the provider wait another 25 s.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Alerts"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${var.prefix}-alerts-undelivered"
      Condition = { ArnEquals = { "aws:SourceArn" = local.topic_arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "alerts" {
  for_each = { for it in var.alert_subscriptions : "${it.protocol} ${it.endpoint}" => it if !contains(local.by_digest, it.protocol) }

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint

  # The subscriber gets the alert event, not SNS' envelope around it; a function gets the envelope in any case.
  raw_message_delivery = each.value.protocol != "lambda"
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered.arn })

  filter_policy = length(each.value.subreddits) + length(each.value.severities) == 0 ? null : jsonencode(merge(
    length(each.value.subreddits) == 0 ? {} : { subreddit = each.value.subreddits },
    length(each.value.severities) == 0 ? {} : { severity = each.value.severities },
  ))
}
