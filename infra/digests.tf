# Digests, for people: one message a subreddit and window, by email or SMS.

locals {
  digests_topic_name = "${var.prefix}-digests"
  digests_topic_arn  = "arn:${local.partition}:sns:${local.region}:${local.account_id}:${local.digests_topic_name}"

  by_digest = ["email", "sms"]
}

resource "aws_sns_topic" "digests" {
  name              = local.digests_topic_name
  display_name      = "modstream"
  kms_master_key_id = local.local ? null : "alias/aws/sns"
}

# Whoever is named gets a message that asks to confirm; email has no raw delivery.
resource "aws_sns_topic_subscription" "digests" {
  for_each = { for it in var.alert_subscriptions : "${it.protocol} ${it.endpoint}" => it if contains(local.by_digest, it.protocol) }

  topic_arn = aws_sns_topic.digests.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint

  filter_policy = length(each.value.subreddits) + length(each.value.severities) == 0 ? null : jsonencode(merge(
    length(each.value.subreddits) == 0 ? {} : { subreddit = each.value.subreddits },
    length(each.value.severities) == 0 ? {} : { severity = each.value.severities },
  ))
}

# A minute after a window's end: what comes later than that is in the next digest, as late.
resource "aws_cloudwatch_event_rule" "digests" {
  name                = "${var.prefix}-digests"
  description         = "Digests, a minute after each window of ${var.digest_minutes} minutes"
  schedule_expression = lookup({ 1 = "cron(* * * * ? *)", 60 = "cron(1 * * * ? *)" }, var.digest_minutes, "cron(1/${var.digest_minutes} * * * ? *)")
  state               = var.mappings_enabled ? "ENABLED" : "DISABLED"
}

# As for the other rule: LocalStack wants the target with the schedule.
resource "aws_cloudwatch_event_target" "digest_alerts" {
  count = var.mappings_enabled ? 1 : 0

  rule = aws_cloudwatch_event_rule.digests.name
  arn  = aws_lambda_function.this["digest-alerts"].arn
}

resource "aws_lambda_permission" "digests" {
  statement_id  = "digests"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["digest-alerts"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.digests.arn
}
