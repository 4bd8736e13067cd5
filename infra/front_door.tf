# The front door: what is asked before a comment is posted, answered at once, and comments in over HTTP. It is an address that
# anybody reaches, so there is none unless it is asked for.

locals {
  front_door = var.front_door_enabled ? {
    answer-checks = {
      access = "key"
      # Whoever asks is answered after 10 seconds in any case; the rest is for the first, which loads the models.
      timeout     = 20
      concurrency = var.front_door_concurrency == null ? -1 : var.front_door_concurrency
      environment = merge({
        BUCKET          = aws_s3_bucket.this.bucket
        COMMENTS_STREAM = local.stream_names["comments"]
        MODEL_NAME      = var.model_name
        POLICY          = var.policy
        }, var.harm_model_name == "" ? {} : { HARM_MODEL_NAME = var.harm_model_name },
        var.base_rate == null ? {} : { BASE_RATE = tostring(var.base_rate) },
        var.front_door == "" ? {} : { FRONT_DOOR = var.front_door },
      var.coral_secret_arn == null ? {} : { CORAL_SECRET = var.coral_secret_arn })
    }
  } : {}

  front_door_alarms = var.front_door_enabled ? {
    answer-checks-failing = {
      description = "answer-checks answers 5xx, five times or more in five minutes: who asks before posting has no answer, and comments are to be sent again"
      namespace   = "AWS/Lambda"
      metric      = "Url5xxCount"
      statistic   = "Sum"
      dimensions  = { FunctionName = "${var.prefix}-answer-checks" }
      period      = 300
      periods     = 1
      above       = 4
    }
    # Of the account's limit `throttles` tells; this may be the function's own.
    answer-checks-throttles = {
      description = "answer-checks is asked more than its instances answer, for five minutes: callers get 429 from Lambda"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      statistic   = "Sum"
      dimensions  = { FunctionName = "${var.prefix}-answer-checks" }
      period      = 60
      periods     = 5
      above       = 0
    }
    answer-checks-slow = {
      description = "answer-checks takes half a second on average, for five minutes: a service behind it is slow"
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      statistic   = "Average"
      dimensions  = { FunctionName = "${var.prefix}-answer-checks" }
      period      = 60
      periods     = 5
      above       = 500
    }
  } : {}
}
