# Functions with a URL each: two where moderators decide, and the front door.

locals {
  # What is asked over HTTP, each function by a URL. Pages, so a second of waiting counts and a timeout of a gateway does not; and
  # the front door (front_door.tf), where there is one.
  pages = merge({
    take-decisions = { access = "link", timeout = 30, concurrency = -1, environment = local.page_environment }
    show-desk = {
      access      = var.desk_access
      timeout     = 30
      concurrency = -1
      environment = merge(local.page_environment, { DESK_ACCESS = var.desk_access })
    }
  }, local.front_door)

  page_environment = {
    TABLE            = aws_dynamodb_table.this.name
    DECISIONS_STREAM = local.stream_names["decisions"]
    LINK_KEY_SECRET  = aws_secretsmanager_secret.link_key.arn
    FORUM_URL        = var.forum_url
  }

  # On LocalStack a browser refuses names that end in 127.0.0.1, and takes those that end in localhost.
  urls = { for name, it in aws_lambda_function_url.this :
    name => trimsuffix(replace(replace(it.function_url, "localhost.localstack.cloud", "localhost"), "127.0.0.1", "localhost"), "/")
  }
}

# What links are signed with. To change it, put another value: links signed before hold until the next change.
resource "aws_secretsmanager_secret" "link_key" {
  name        = "${var.prefix}-link-key"
  description = "Signs the links in alerts and digests"

  recovery_window_in_days = local.local ? 0 : 30
}

data "aws_secretsmanager_random_password" "link_key" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "link_key" {
  secret_id     = aws_secretsmanager_secret.link_key.id
  secret_string = data.aws_secretsmanager_random_password.link_key.random_password

  lifecycle {
    # The first one stays: the data source has another at each plan.
    ignore_changes = [secret_string]
  }
}

# Apart from the others: what the pages are reached by is part of the others' settings.
resource "aws_lambda_function" "pages" {
  for_each = local.pages

  function_name = "${var.prefix}-${each.key}"
  role          = aws_iam_role.this[each.key].arn
  filename      = "${var.packages}/${each.key}/bootstrap.zip"
  handler       = "bootstrap"
  runtime       = "provided.al2023"
  architectures = [var.architecture]
  memory_size   = 512
  timeout       = each.value.timeout

  # -1: it takes of what the account has.
  reserved_concurrent_executions = each.value.concurrency

  environment {
    variables = each.value.environment
  }

  logging_config {
    log_format       = "JSON"
    log_group        = aws_cloudwatch_log_group.this[each.key].name
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

# The links' pages answer to a valid signature alone, which the function checks. The desk's do, or AWS checks who asks. The front
# door answers to a key of ours, which a forum or a client of Perspective's can send, as neither can sign for AWS.
resource "aws_lambda_function_url" "this" {
  for_each = local.pages

  function_name      = aws_lambda_function.pages[each.key].function_name
  authorization_type = each.value.access == "iam" ? "AWS_IAM" : "NONE"
}

# A URL needs both permissions: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
# The provider gives the other. Neither lets anyone in whose signature, or key, is not valid.
resource "aws_lambda_permission" "pages" {
  for_each = { for name, it in local.pages : name => it if it.access != "iam" }

  statement_id  = "pages"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.pages[each.key].function_name
  principal     = "*"
}
