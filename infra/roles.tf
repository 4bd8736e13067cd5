# One role a function, with what it does and nothing else.

locals {
  # What a page may do: show alerts, take decisions.
  decide = [
    { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/alerts/*", "${aws_s3_bucket.this.arn}/digests/*"] },
    { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/decisions/*"] },
    # Sign-in links that were used.
    { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/sign-ins/*"] },
    { actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources = ["${aws_s3_bucket.this.arn}/decisions-unsent/*"] },
    { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["decisions"]] },
    { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.link_key.arn] },
  ]

  # What a function may do, besides writing its log and what Lambda does in its name.
  allowed = {
    generate-comments = [
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/corpus/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/quarantine/${local.stream_names["comments"]}/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["comments"]] },
    ]
    score-comments = [
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/models/${var.model_name}/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/quarantine/${local.stream_names["comments"]}/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["predictions"]] },
    ]
    publish-alerts = [
      # To read the ledger, too: an alert whose sent.json may not be read waits, and with it its shard.
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/alerts/*"] },
      # Where the alerts about a comment lie, and what happened to it.
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/comments/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/missed/*"] },
      # What the model in use promises, to say which policies no comment can meet.
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/models/*/manifest.json"] },
      # The policies document; budgets and breakers are objects, too.
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/policies/*"] },
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/budgets/*", "${aws_s3_bucket.this.arn}/breakers/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/quarantine/${local.stream_names["predictions"]}/*"] },
      { actions = ["sns:Publish"], resources = [aws_sns_topic.alerts.arn] },
      { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.link_key.arn] },
    ]
    archive-comments = [
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/archive/${local.stream_names["comments"]}/*"] },
    ]
    digest-alerts = [
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/alerts/*", "${aws_s3_bucket.this.arn}/policies/*", "${aws_s3_bucket.this.arn}/decisions/*"] },
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/digests/*"] },
      # Decisions that did not reach their stream, and changes that operators made: whether these were made.
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/models/*/current.json", "${aws_s3_bucket.this.arn}/models/*/history/*", "${aws_s3_bucket.this.arn}/breakers/*"] },
      { actions = ["s3:GetObject", "s3:DeleteObject"], resources = ["${aws_s3_bucket.this.arn}/decisions-unsent/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["decisions"]] },
      { actions = ["sns:Publish"], resources = [aws_sns_topic.digests.arn] },
      { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.link_key.arn] },
    ]
    take-decisions = local.decide
    show-desk      = local.decide
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "this" {
  for_each = local.function_names

  dynamic "statement" {
    for_each = local.allowed[each.key]
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }

  statement {
    sid     = "Log"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    # A log stream's name is Lambda's.
    resources = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
  }

  # Lambda writes what it gives up with the function's role, under a prefix of its own.
  # https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
  statement {
    sid       = "GiveUp"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.this.arn}/aws/lambda/*"]
  }

  # Every function may list, the whole bucket: without that S3 says 403 of an object that is missing, and to the functions what is
  # denied is not missing. Lambda looks before it gives up a batch, too.
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
  }

  dynamic "statement" {
    for_each = contains(keys(local.readers), each.key) ? [local.readers[each.key].stream] : []
    content {
      sid = "Read"
      actions = [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
      ]
      resources = [local.stream_arns[statement.value]]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.function_names

  name               = "${var.prefix}-${each.key}-${local.region}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "this" {
  for_each = local.function_names

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.this[each.key].json
}
