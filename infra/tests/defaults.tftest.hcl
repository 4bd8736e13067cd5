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
      "modstream-digest-alerts", "modstream-take-decisions", "modstream-show-desk",
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
