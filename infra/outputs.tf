output "account_id" {
  description = "The account."
  value       = local.account_id
}

output "region" {
  description = "The region."
  value       = local.region
}

output "bucket" {
  description = "The bucket: corpus/, models/, policies/, keys/, archive/ (what the stream of comments carried), feedback/, quarantine/, aws/lambda/ (batches that were given up)."
  value       = aws_s3_bucket.this.bucket
}

output "table" {
  description = "The table: alerts, decisions, digests, and what else is known."
  value       = aws_dynamodb_table.this.name
}

output "comments_stream" {
  description = "Where comments enter."
  value       = aws_kinesis_stream.this["comments"].name
}

output "predictions_stream" {
  description = "Where predictions are."
  value       = aws_kinesis_stream.this["predictions"].name
}

output "decisions_stream" {
  description = "Where moderators' decisions are: among the predictions, unless decisions_shards gives them a stream."
  value       = aws_kinesis_stream.this[local.decisions_on].name
}

output "links_url" {
  description = "What the links in alerts and digests begin with."
  value       = local.urls["take-decisions"]
}

output "desk_url" {
  description = "The desk. `modstream desk-link` makes a link to sign in, where desk_access is signed-link."
  value       = local.urls["show-desk"]
}

output "front_door_url" {
  description = "The front door; null where there is none. `modstream key create` makes a key for it."
  value       = lookup(local.urls, "answer-checks", null)
}

output "link_key_secret" {
  description = "The secret that signs links."
  value       = aws_secretsmanager_secret.link_key.arn
}

output "digests_topic_arn" {
  description = "What people subscribe to by email or SMS."
  value       = aws_sns_topic.digests.arn
}

output "alerts_topic_arn" {
  description = "What subscribers of alerts subscribe to."
  value       = aws_sns_topic.alerts.arn
}

output "undelivered_queue_url" {
  description = "The queue of alerts that a subscriber did not take."
  value       = aws_sqs_queue.undelivered.url
}

output "undelivered_queue_arn" {
  description = "The same, as a subscription names it."
  value       = aws_sqs_queue.undelivered.arn
}

output "model_name" {
  description = "Which model scores."
  value       = var.model_name
}

output "harm_model_name" {
  description = "Which model says how harmful comments are; empty: none does."
  value       = var.harm_model_name
}

output "base_rate" {
  description = "The base rate that is assumed; null: the training data's."
  value       = var.base_rate
}

output "corpus_key" {
  description = "The object with sample comments."
  value       = var.corpus_key
}

output "policy" {
  description = "Which comments alert."
  value       = var.policy
}

output "architecture" {
  description = "What the functions run on."
  value       = var.architecture
}

output "functions" {
  description = "The functions' names as they are deployed."
  value       = { for name, function in merge(aws_lambda_function.this, aws_lambda_function.pages) : name => function.function_name }
}

output "mappings" {
  description = "The event source mappings' ids, by function."
  value       = { for name, mapping in aws_lambda_event_source_mapping.this : name => mapping.uuid }
}

output "schedule_rule" {
  description = "The rule that invokes generate-comments."
  value       = aws_cloudwatch_event_rule.every_minute.name
}

output "environment" {
  description = "What the command `modstream` reads: eval \"$(terraform -chdir=infra output -raw environment)\""
  value       = <<-END
    export AWS_REGION=${local.region}
    export MODSTREAM_BUCKET=${aws_s3_bucket.this.bucket}
    export MODSTREAM_TABLE=${aws_dynamodb_table.this.name}
    export MODSTREAM_COMMENTS_STREAM=${aws_kinesis_stream.this["comments"].name}
    export MODSTREAM_PREDICTIONS_STREAM=${aws_kinesis_stream.this["predictions"].name}
    export MODSTREAM_ALERTS_TOPIC_ARN=${aws_sns_topic.alerts.arn}
    export MODSTREAM_DIGESTS_TOPIC_ARN=${aws_sns_topic.digests.arn}
    export MODSTREAM_DECISIONS_STREAM=${aws_kinesis_stream.this[local.decisions_on].name}
    export MODSTREAM_DESK_URL=${local.urls["show-desk"]}
    export MODSTREAM_LINKS_URL=${local.urls["take-decisions"]}
    export MODSTREAM_LINK_KEY_SECRET=${aws_secretsmanager_secret.link_key.arn}
    export MODSTREAM_UNDELIVERED_QUEUE_ARN=${aws_sqs_queue.undelivered.arn}
    export MODSTREAM_MODEL_NAME=${var.model_name}
    ${var.harm_model_name == "" ? "" : "export MODSTREAM_HARM_MODEL_NAME=${var.harm_model_name}"}
  END
}
