# One role a function, with what it does and nothing else.

locals {
  # What a page may do: show alerts, take decisions.
  decide = [
    { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["decisions"]] },
    { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.link_key.arn] },
  ]

  # What a function may do, besides its part of the table, writing its log and what Lambda does in its name.
  allowed = {
    generate-comments = [
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/corpus/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/quarantine/${local.stream_names["comments"]}/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["comments"]] },
    ]
    score-comments = [
      { actions = ["s3:GetObject"], resources = [for name in compact([var.model_name, var.harm_model_name]) : "${aws_s3_bucket.this.arn}/models/${name}/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/quarantine/${local.stream_names["comments"]}/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["predictions"]] },
    ]
    publish-alerts = [
      # What the model in use promises, to say which policies no comment can meet.
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/models/*/manifest.json"] },
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/policies/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/quarantine/${local.stream_names["predictions"]}/*"] },
      { actions = ["sns:Publish"], resources = [aws_sns_topic.alerts.arn] },
      { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.link_key.arn] },
    ]
    archive-comments = [
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/archive/${local.stream_names["comments"]}/*"] },
    ]
    digest-alerts = [
      # Quiet hours; and of changes that operators made and that did not reach their stream, whether they were made.
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/policies/*", "${aws_s3_bucket.this.arn}/models/*/current.json", "${aws_s3_bucket.this.arn}/models/*/history/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["decisions"]] },
      { actions = ["sns:Publish"], resources = [aws_sns_topic.digests.arn] },
      { actions = ["secretsmanager:GetSecretValue"], resources = [aws_secretsmanager_secret.link_key.arn] },
    ]
    take-decisions = local.decide
    show-desk      = local.decide
    answer-checks = concat([
      { actions = ["s3:GetObject"], resources = concat(
        [for name in compact([var.model_name, var.harm_model_name]) : "${aws_s3_bucket.this.arn}/models/${name}/*"],
        ["${aws_s3_bucket.this.arn}/policies/*", "${aws_s3_bucket.this.arn}/keys/*"],
      ) },
      # What others say that a comment should have got. It reads none of it.
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.this.arn}/feedback/*"] },
      { actions = ["kinesis:PutRecords"], resources = [local.stream_arns["comments"]] },
      ], var.coral_secret_arn == null ? [] : [
      { actions = ["secretsmanager:GetSecretValue"], resources = [var.coral_secret_arn] },
    ])
  }

  # What a function may do with which partitions of the table, and of its indexes' lists. A transaction needs the permissions of
  # its writes. The scenarios of tests/ run under these permissions, and use all of them.
  access = jsondecode(file("${path.module}/access.json"))
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

  dynamic "statement" {
    for_each = lookup(local.access, each.key, [])
    content {
      actions = [for action in statement.value.actions : "dynamodb:${action}"]
      resources = concat(
        can(statement.value.partitions) ? [local.table_arn] : [],
        [for index in keys(try(statement.value.lists, {})) : "${local.table_arn}/index/${index}"],
      )

      # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
      condition {
        test     = "ForAllValues:StringLike"
        variable = "dynamodb:LeadingKeys"
        values   = concat(try(statement.value.partitions, []), flatten(values(try(statement.value.lists, {}))))
      }
    }
  }

  # Of a table with a key of its own, whoever reads and writes it needs the key.
  dynamic "statement" {
    for_each = var.table_key_arn != null && contains(keys(local.access), each.key) ? [var.table_key_arn] : []
    content {
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["dynamodb.${local.region}.amazonaws.com"]
      }
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
  dynamic "statement" {
    for_each = contains(keys(local.pages), each.key) ? [] : [aws_s3_bucket.this.arn]
    content {
      sid       = "GiveUp"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/aws/lambda/*"]
    }
  }

  # Every function that reads the bucket may list all of it: without that S3 says 403 of an object that is missing, and to the
  # functions what is denied is not missing. Lambda looks before it gives up a batch, too.
  dynamic "statement" {
    for_each = contains(["take-decisions", "show-desk"], each.key) ? [] : [aws_s3_bucket.this.arn]
    content {
      sid       = "List"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]
    }
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
