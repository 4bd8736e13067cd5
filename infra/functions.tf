locals {
  # The longest that one batch may take; the functions stop 5.5 s before, so that what they report arrives.
  batch_seconds = 60

  functions = {
    generate-comments = {
      memory  = 256
      timeout = 120
      environment = {
        BUCKET          = aws_s3_bucket.this.bucket
        COMMENTS_STREAM = local.stream_names["comments"]
        CORPUS_KEY      = var.corpus_key
        RATE            = tostring(var.rate)
        SPREAD_SECONDS  = tostring(var.spread_seconds)
      }
    }
    score-comments = {
      memory  = 512
      timeout = local.batch_seconds
      environment = merge({
        BUCKET             = aws_s3_bucket.this.bucket
        PREDICTIONS_STREAM = local.stream_names["predictions"]
        MODEL_NAME         = var.model_name
        }, var.harm_model_name == "" ? {} : { HARM_MODEL_NAME = var.harm_model_name },
      var.base_rate == null ? {} : { BASE_RATE = tostring(var.base_rate) })
    }
    publish-alerts = {
      memory  = 256
      timeout = local.batch_seconds
      environment = {
        BUCKET           = aws_s3_bucket.this.bucket
        TABLE            = aws_dynamodb_table.this.name
        ALERTS_TOPIC_ARN = aws_sns_topic.alerts.arn
        POLICY           = var.policy
        LINKS_BASE_URL   = local.urls["take-decisions"]
        LINK_KEY_SECRET  = aws_secretsmanager_secret.link_key.arn
      }
    }
    archive-comments = {
      memory  = 256
      timeout = local.batch_seconds
      environment = {
        BUCKET = aws_s3_bucket.this.bucket
      }
    }
    digest-alerts = {
      memory  = 256
      timeout = 240
      environment = {
        BUCKET            = aws_s3_bucket.this.bucket
        TABLE             = aws_dynamodb_table.this.name
        DECISIONS_STREAM  = local.stream_names["decisions"]
        DIGESTS_TOPIC_ARN = aws_sns_topic.digests.arn
        WINDOW_MINUTES    = tostring(var.digest_minutes)
        LINKS_BASE_URL    = local.urls["take-decisions"]
        LINK_KEY_SECRET   = aws_secretsmanager_secret.link_key.arn
        FORUM_URL         = var.forum_url
      }
    }
  }

  # All of them. By name, since the settings of some know the URLs of others.
  function_names = toset(concat([
    "generate-comments", "score-comments", "publish-alerts", "archive-comments",
    "digest-alerts", "take-decisions", "show-desk",
  ], var.front_door_enabled ? ["answer-checks"] : []))

  # Those that Lambda invokes by itself, and tries again.
  scheduled = ["generate-comments", "digest-alerts"]

  # Which function reads which stream, and in what batches.
  readers = {
    score-comments = { stream = "comments", batch_size = 500, window_seconds = local.local ? 0 : 1 }
    # No filter keeps decisions from it: Lambda drops what is no JSON where there is one, and that belongs into quarantine.
    publish-alerts = { stream = "predictions", batch_size = 100, window_seconds = 0 }
    # Nobody waits for the archive, and each batch is an object that is paid for. The window lies below the iterator age
    # that alarms.
    archive-comments = { stream = "comments", batch_size = 10000, window_seconds = local.local ? 0 : 30 }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.function_names

  name              = "/aws/lambda/${var.prefix}-${each.key}"
  retention_in_days = var.log_retention_days
}

# What is deployed needs no package any more: settings can be changed from a checkout where nothing is built.
data "aws_lambda_functions" "deployed" {}

resource "aws_lambda_function" "this" {
  for_each = local.functions

  function_name = "${var.prefix}-${each.key}"
  role          = aws_iam_role.this[each.key].arn
  filename      = "${var.packages}/${each.key}/bootstrap.zip"
  handler       = "bootstrap"
  runtime       = "provided.al2023"
  architectures = [var.architecture]
  memory_size   = each.value.memory
  timeout       = each.value.timeout

  environment {
    variables = each.value.environment
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
    # Lambda's own lines cost more than the function's. Of an invocation that ends well there is none; the metrics have it.
    system_log_level = "WARN"
  }

  lifecycle {
    # `cargo xtask deploy` ships code.
    ignore_changes = [filename, source_code_hash]

    precondition {
      condition     = contains(data.aws_lambda_functions.deployed.function_names, "${var.prefix}-${each.key}") || fileexists("${var.packages}/${each.key}/bootstrap.zip")
      error_message = "${var.packages}/${each.key}/bootstrap.zip is not there: `cargo xtask package` builds it."
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

# What the schedules invoke is invoked asynchronously. What fails three times lies in the bucket, whole.
resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = toset(local.scheduled)

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  # LocalStack takes no bucket here.
  dynamic "destination_config" {
    for_each = local.local ? [] : [aws_s3_bucket.this.arn]
    content {
      on_failure {
        destination = destination_config.value
      }
    }
  }
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.readers

  function_name    = aws_lambda_function.this[each.key].arn
  event_source_arn = aws_kinesis_stream.this[each.value.stream].arn
  enabled          = var.mappings_enabled

  # LATEST may miss records while the mapping starts.
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error     = true

  # Functions put bad records aside themselves, so what fails is a service that is down, and worth waiting for: up to an hour
  # before the stream forgets the records. Then the whole batch goes to the bucket. 10,000 is the most that Lambda takes
  # besides "for ever".
  maximum_retry_attempts        = 10000
  maximum_record_age_in_seconds = (var.retention_hours - 1) * 3600

  destination_config {
    on_failure {
      destination_arn = aws_s3_bucket.this.arn
    }
  }
}

resource "aws_cloudwatch_event_rule" "every_minute" {
  name                = "${var.prefix}-every-minute"
  description         = "Sample comments, every minute"
  schedule_expression = "rate(1 minute)"
  state               = var.schedule_enabled ? "ENABLED" : "DISABLED"
}

# LocalStack starts a rule's clock when it gets a target, and for a rule that is on: so the target comes with the schedule.
resource "aws_cloudwatch_event_target" "generate_comments" {
  count = var.schedule_enabled ? 1 : 0

  rule = aws_cloudwatch_event_rule.every_minute.name
  arn  = aws_lambda_function.this["generate-comments"].arn
}

resource "aws_lambda_permission" "every_minute" {
  statement_id  = "every-minute"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["generate-comments"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.every_minute.arn
}
