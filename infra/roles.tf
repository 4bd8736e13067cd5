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
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.this.arn}/models/${var.model_name}/*"] },
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
  }

  page_of_table = [
    # Alerts and the decisions about them, and the digests that links lead to.
    { actions = ["GetItem", "BatchGetItem", "Query"], partitions = ["comment#*", "window#*", "missed"], lists = {} },
    { actions = ["Query"], partitions = [], lists = { open = ["open"], decided = ["decided"] } },
    # Only a decision writes there: it, its alert, and its place in the outbox.
    { actions = ["PutItem", "UpdateItem"], partitions = ["comment#*"], lists = {} },
    { actions = ["GetItem", "PutItem", "DeleteItem"], partitions = ["outbox"], lists = {} },
    # Sign-in links that were used.
    { actions = ["PutItem"], partitions = ["sign-in#*"], lists = {} },
  ]

  # What a function may do with which partitions of the table, and of its indexes. A transaction needs the permissions of its
  # writes.
  of_table = {
    publish-alerts = [
      # Alerts, and what happened to their comments.
      { actions = ["GetItem", "PutItem", "Query", "UpdateItem"], partitions = ["comment#*"], lists = {} },
      { actions = ["PutItem"], partitions = ["missed"], lists = {} },
      { actions = ["UpdateItem"], partitions = ["budget#*"], lists = {} },
      { actions = ["PutItem", "Query", "UpdateItem"], partitions = ["breakers"], lists = {} },
    ]
    digest-alerts = [
      # Alerts, and of those that were made lately which there are.
      { actions = ["BatchGetItem"], partitions = ["comment#*"], lists = {} },
      { actions = ["Query"], partitions = [], lists = { made = ["made"] } },
      { actions = ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"], partitions = ["digests", "window#*", "known#*", "waiting#*"], lists = {} },
      # Decisions, and changes that operators made, that did not reach their stream; and whether a breaker was closed.
      { actions = ["Query", "DeleteItem"], partitions = ["outbox"], lists = {} },
      { actions = ["GetItem"], partitions = ["breakers"], lists = {} },
    ]
    take-decisions = local.page_of_table
    show-desk      = local.page_of_table
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

  dynamic "statement" {
    for_each = lookup(local.of_table, each.key, [])
    content {
      actions   = [for action in statement.value.actions : "dynamodb:${action}"]
      resources = concat(
        length(statement.value.partitions) == 0 ? [] : [local.table_arn],
        [for index in keys(statement.value.lists) : "${local.table_arn}/index/${index}"],
      )

      # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
      condition {
        test     = "ForAllValues:StringLike"
        variable = "dynamodb:LeadingKeys"
        values   = concat(statement.value.partitions, flatten(values(statement.value.lists)))
      }
    }
  }

  # Of a table with a key of its own, whoever reads and writes it needs the key.
  dynamic "statement" {
    for_each = var.table_key_arn != null && contains(keys(local.of_table), each.key) ? [var.table_key_arn] : []
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
    for_each = contains(keys(local.pages), each.key) ? [] : [aws_s3_bucket.this.arn]
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
