# What is made where no variable is set, as far as it is paid for. Nothing is asked of AWS: `terraform -chdir=infra test`.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

# What is deployed needs no package.
override_data {
  target = data.aws_lambda_functions.deployed
  values = {
    function_names = [
      "modstream-generate-comments", "modstream-score-comments", "modstream-publish-alerts", "modstream-archive-comments",
      "modstream-digest-alerts", "modstream-take-decisions", "modstream-show-desk", "modstream-answer-checks",
    ]
  }
}

run "what_is_paid_for_by_the_month_is_what_the_bill_counts" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == jsondecode(file("calls.json")).deployed.alarms
    error_message = "There are ${length(aws_cloudwatch_metric_alarm.this)} alarms, and calls.json says another number: ${join(" ", keys(aws_cloudwatch_metric_alarm.this))}"
  }

  assert {
    condition     = length(aws_kinesis_stream.this) == jsondecode(file("calls.json")).deployed.streams
    error_message = "There are ${length(aws_kinesis_stream.this)} streams, and calls.json says another number: ${join(" ", keys(aws_kinesis_stream.this))}"
  }

  assert {
    condition     = alltrue([for stream in aws_kinesis_stream.this : stream.shard_count == 1])
    error_message = "A stream has more than one shard."
  }

  assert {
    condition     = alltrue([for function in merge(aws_lambda_function.this, aws_lambda_function.pages) : function.logging_config[0].system_log_level == "WARN"])
    error_message = "Lambda's own lines of each invocation are logged."
  }
}

run "decisions_are_on_the_stream_of_predictions" {
  command = plan

  assert {
    condition     = aws_lambda_function.pages["show-desk"].environment[0].variables.DECISIONS_STREAM == "modstream-predictions"
    error_message = "The desk's decisions go to ${aws_lambda_function.pages["show-desk"].environment[0].variables.DECISIONS_STREAM}."
  }

  assert {
    condition     = aws_lambda_function.this["digest-alerts"].environment[0].variables.DECISIONS_STREAM == "modstream-predictions"
    error_message = "What is sent later goes to ${aws_lambda_function.this["digest-alerts"].environment[0].variables.DECISIONS_STREAM}."
  }

  assert {
    condition     = output.decisions_stream == output.predictions_stream
    error_message = "The output names another stream."
  }

  # Lambda drops what is no JSON where there is a filter, and that belongs into quarantine.
  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.this : length(mapping.filter_criteria) == 0])
    error_message = "A mapping has a filter."
  }
}

run "decisions_have_a_stream_of_their_own_where_they_are_given_shards" {
  command = plan

  variables {
    decisions_shards = 2
  }

  assert {
    condition     = aws_kinesis_stream.this["decisions"].shard_count == 2 && aws_kinesis_stream.this["decisions"].name == "modstream-decisions"
    error_message = "There is no such stream."
  }

  assert {
    condition     = aws_lambda_function.pages["show-desk"].environment[0].variables.DECISIONS_STREAM == "modstream-decisions" && output.decisions_stream == "modstream-decisions"
    error_message = "Decisions go elsewhere."
  }
}

run "nobody_has_a_public_front_door_who_did_not_ask_for_one" {
  command = plan

  assert {
    condition     = !contains(keys(aws_lambda_function_url.this), "answer-checks") && !contains(keys(aws_lambda_function.pages), "answer-checks")
    error_message = "There is a front door."
  }

  assert {
    condition     = output.front_door_url == null && !contains(keys(aws_iam_role.this), "answer-checks")
    error_message = "There are parts of a front door."
  }
}

run "a_front_door_is_reached_by_anybody_watched_and_may_use_its_parts_alone" {
  command = plan

  variables {
    front_door_enabled     = true
    front_door_concurrency = 5
    front_door             = "[attributes]"
    coral_secret_arn       = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:coral-AbCdEf"
  }

  assert {
    condition     = aws_lambda_function_url.this["answer-checks"].authorization_type == "NONE" && contains(keys(aws_lambda_permission.pages), "answer-checks")
    error_message = "Whoever has a key must sign for AWS, too."
  }

  assert {
    condition     = aws_lambda_function.pages["answer-checks"].reserved_concurrent_executions == 5 && aws_lambda_function.pages["show-desk"].reserved_concurrent_executions == -1
    error_message = "It is another number of requests at once."
  }

  assert {
    condition     = aws_lambda_function.pages["answer-checks"].environment[0].variables.COMMENTS_STREAM == "modstream-comments" && aws_lambda_function.pages["answer-checks"].environment[0].variables.FRONT_DOOR == "[attributes]" && aws_lambda_function.pages["answer-checks"].environment[0].variables.CORAL_SECRET == var.coral_secret_arn
    error_message = "It has other settings."
  }

  assert {
    condition     = alltrue([for alarm in ["errors", "failing", "slow", "throttles"] : contains(keys(aws_cloudwatch_metric_alarm.this), "answer-checks-${alarm}")])
    error_message = "An alarm is missing: ${join(" ", keys(aws_cloudwatch_metric_alarm.this))}"
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "answer-checks-lost")
    error_message = "Lambda gives up nothing of what is asked over HTTP."
  }

  # What a statement allows, each on resources that begin so.
  assert {
    condition     = toset(flatten([for statement in local.allowed["answer-checks"] : statement.actions])) == toset(["s3:GetObject", "s3:PutObject", "kinesis:PutRecords", "secretsmanager:GetSecretValue"])
    error_message = "It may do something else."
  }

  assert {
    condition     = !contains(keys(local.access), "answer-checks")
    error_message = "It may use the table."
  }
}
