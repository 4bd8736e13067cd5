terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

locals {
  local = var.endpoint != null
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.expected_account_id == null || local.local ? null : [var.expected_account_id]

  # A local stack takes any keys, and names its buckets in the path.
  access_key                  = local.local ? "test" : null
  secret_key                  = local.local ? "test" : null
  skip_credentials_validation = local.local
  skip_metadata_api_check     = local.local
  s3_use_path_style           = local.local

  dynamic "endpoints" {
    for_each = local.local ? [var.endpoint] : []
    content {
      cloudwatch     = endpoints.value
      cloudwatchlogs = endpoints.value
      dynamodb       = endpoints.value
      events         = endpoints.value
      iam            = endpoints.value
      kinesis        = endpoints.value
      lambda         = endpoints.value
      s3             = endpoints.value
      secretsmanager = endpoints.value
      sns            = endpoints.value
      sqs            = endpoints.value
      sts            = endpoints.value
    }
  }

  # LocalStack forgets the tags of streams and alarms, so that no plan would be empty.
  default_tags {
    tags = local.local ? {} : merge({ application = var.prefix }, var.tags)
  }
}
