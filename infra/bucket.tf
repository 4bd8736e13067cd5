# Models, policies, corpus, archive, quarantine, and batches that were given up.
resource "aws_s3_bucket" "this" {
  bucket = "${var.prefix}-${local.account_id}-${local.region}"

  # A bucket that holds models and what was quarantined is not thrown away with the rest.
  force_destroy = local.local
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid    = "TlsOnly"
    effect = "Deny"
    # To deny is to deny all: a list would have gaps.
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Locally it only takes time: the provider waits a minute for it.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = local.local ? 0 : 1
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "overwritten"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Texts of comments: what the stream carried, and what others said of some.
  dynamic "rule" {
    for_each = var.archive_days == null ? {} : { for name in ["archive", "feedback"] : name => var.archive_days }
    content {
      id     = rule.key
      status = "Enabled"

      filter {
        prefix = "${rule.key}/"
      }

      expiration {
        days = rule.value
      }

      # Where two rules say different times, S3 takes the shorter: what expires is gone a day later.
      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

# What Lambda gives up lies where Lambda puts it: aws/lambda/... It is counted there.
resource "aws_s3_bucket_metric" "given_up" {
  count  = local.local ? 0 : 1
  bucket = aws_s3_bucket.this.id
  name   = "given-up"

  filter {
    prefix = "aws/lambda/"
  }
}
