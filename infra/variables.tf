# Where.

variable "prefix" {
  description = "What all names begin with. Two deployments in an account need two."
  type        = string
  default     = "modstream"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.prefix))
    error_message = "prefix must have 2 to 20 lower-case letters, digits and dashes, and begin with a letter: it is part of a bucket's name."
  }
}

variable "region" {
  description = "The AWS region. Where it is not set, AWS_REGION or the profile says it."
  type        = string
  default     = null
}

variable "expected_account_id" {
  description = "The account that this belongs to: any other is refused."
  type        = string
  default     = null

  validation {
    condition     = var.expected_account_id == null || can(regex("^[0-9]{12}$", var.expected_account_id))
    error_message = "expected_account_id must have 12 digits."
  }
}

variable "expected_region" {
  description = "The region that this belongs to: any other is refused."
  type        = string
  default     = null
}

variable "endpoint" {
  description = "One address for all services instead of AWS, for example http://127.0.0.1:4566: a local stack."
  type        = string
  default     = null

  validation {
    condition     = var.endpoint == null || can(regex("^https?://[^/]+$", var.endpoint))
    error_message = "endpoint must be a URL without a path, for example http://127.0.0.1:4566."
  }
}

variable "tags" {
  description = "Tags of everything, besides `application`."
  type        = map(string)
  default     = {}
}

# Code.

variable "packages" {
  description = "The folder with <function>/bootstrap.zip for each function, as `cargo xtask package` writes it. Only new functions are made from it: `cargo xtask deploy` ships later code."
  type        = string
  default     = "../target/lambda"
}

variable "architecture" {
  description = "What the functions run on, and what they are built for: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

# What is on.

variable "mappings_enabled" {
  description = "Whether the functions read their streams. Off until a model is promoted: score-comments does not start without."
  type        = bool
  default     = false
}

variable "schedule_enabled" {
  description = "Whether sample comments are generated every minute. Off until the corpus is in the bucket."
  type        = bool
  default     = false
}

# What it does.

variable "policy" {
  description = "Which comments alert: a probability such as 0.8, or precision>=0.9, or share<=0.05."
  type        = string
  default     = "0.7"

  validation {
    condition     = can(regex("^(probability ?>= ?|precision ?>= ?|share ?<= ?)?(0|1|0?[.][0-9]+|[01][.][0-9]*)$", var.policy)) && try(tonumber(regex("[0-9.]+$", var.policy)), 2) <= 1
    error_message = "policy must be a probability such as 0.8, or precision>=0.9, or share<=0.05, with a number from 0 to 1."
  }
}

variable "base_rate" {
  description = "The share of your comments that moderators remove. Where it is not set, the training data's holds, and precision is promised for that."
  type        = number
  default     = null

  validation {
    condition     = var.base_rate == null || try(var.base_rate > 0 && var.base_rate < 1, false)
    error_message = "base_rate must be above 0 and below 1, for example 0.05."
  }
}

variable "model_name" {
  description = "Which model scores: models/<model_name>/current.json of the bucket names its version."
  type        = string
  default     = "rscience"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", var.model_name))
    error_message = "model_name must have 1 to 64 letters, digits, dots, dashes or underscores, and begin with no dot."
  }
}

variable "harm_model_name" {
  description = "Which model says how harmful comments are: models/<harm_model_name>/current.json of the bucket names its version. Empty: none does. Where the bucket has no such model, comments are scored without."
  type        = string
  default     = "harm"

  validation {
    condition     = can(regex("^([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})?$", var.harm_model_name))
    error_message = "harm_model_name must have up to 64 letters, digits, dots, dashes or underscores, and begin with no dot."
  }

  validation {
    condition     = var.harm_model_name != var.model_name
    error_message = "harm_model_name must be another than model_name: a name keeps one of the two."
  }
}

variable "corpus_key" {
  description = "The bucket's object with sample comments."
  type        = string
  default     = "corpus/comments.jsonl"

  validation {
    condition     = startswith(var.corpus_key, "corpus/")
    error_message = "corpus_key must begin with corpus/: generate-comments may read nothing else."
  }
}

variable "rate" {
  description = "Sample comments a second."
  type        = number
  default     = 10

  validation {
    condition     = var.rate >= 0.02 && var.rate <= 10000
    error_message = "rate must be from 0.02 to 10000."
  }
}

variable "spread_seconds" {
  description = "Over how many seconds of its minute an invocation spreads its comments."
  type        = number
  default     = 60

  validation {
    condition     = var.spread_seconds >= 0 && var.spread_seconds <= 60
    error_message = "spread_seconds must be from 0 to 60: the next minute's invocation follows."
  }
}

variable "alert_subscriptions" {
  description = "Who gets alerts: sqs (a queue's ARN, whose policy lets the topic send), https or lambda get each alert, the event itself; email and sms get digests, one message a subreddit and window. Subreddits and severities (high, medium, low) narrow it; without them all come."
  type = list(object({
    protocol   = string
    endpoint   = string
    subreddits = optional(list(string), [])
    severities = optional(list(string), [])
  }))
  default = []

  validation {
    condition = alltrue([for it in var.alert_subscriptions :
      contains(["sqs", "https", "lambda", "email", "sms"], it.protocol) || (it.protocol == "http" && var.endpoint != null)
    ])
    error_message = "alert_subscriptions: protocol must be sqs, https or lambda for alerts, or email or sms for digests; http is for a local stack alone."
  }

  validation {
    condition     = alltrue([for it in var.alert_subscriptions : it.protocol != "email" || can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", it.endpoint))])
    error_message = "alert_subscriptions: the endpoint of email is an address, for example moderators@example.org."
  }

  validation {
    condition     = alltrue([for it in var.alert_subscriptions : it.protocol != "sms" || can(regex("^[+][1-9][0-9]{6,14}$", it.endpoint))])
    error_message = "alert_subscriptions: the endpoint of sms is a number with its country, for example +4915112345678."
  }

  validation {
    condition     = alltrue([for it in var.alert_subscriptions : it.protocol != "sqs" || can(regex("^arn:[^:]+:sqs:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+$", it.endpoint))])
    error_message = "alert_subscriptions: the endpoint of sqs is a queue's ARN, for example arn:aws:sqs:eu-central-1:123456789012:moderators; a FIFO queue can't subscribe to this topic."
  }

  validation {
    condition     = alltrue([for it in var.alert_subscriptions : it.protocol != "https" || startswith(it.endpoint, "https://")])
    error_message = "alert_subscriptions: the endpoint of https is a URL that begins with https://."
  }

  # The hosts are those of `modstream subscribe`, cli/src/operate/chat.rs.
  validation {
    condition = alltrue([for it in var.alert_subscriptions : it.protocol != "https" || !can(regex(
      "(?i)^https://([^/?#]*@)?(hooks[.]slack(-gov)?[.]com|([^/?#@:]+[.])?discord(app)?[.]com|[^/?#@:]+[.]webhook[.]office[.]com|outlook[.]office(365)?[.]com|[^/?#@:]+[.]logic[.]azure[.](com|us)|[^/?#@:]+[.]api[.]powerplatform[.]com|chat[.]googleapis[.]com|hooks[.]chime[.]aws)[.]?([:/?#]|$)",
      it.endpoint
    ))])
    error_message = "alert_subscriptions: an incoming webhook of Slack, Discord, Teams or another chat can't confirm a subscription and does not read alerts: docs/deploy.md says what to do instead, \"Into a chat\"."
  }

  validation {
    condition     = alltrue([for it in var.alert_subscriptions : it.protocol != "lambda" || can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:.+$", it.endpoint))])
    error_message = "alert_subscriptions: the endpoint of lambda is a function's ARN, for example arn:aws:lambda:eu-central-1:123456789012:function:moderators; the function must let the topic invoke it."
  }

  validation {
    condition     = alltrue(flatten([for it in var.alert_subscriptions : [for severity in it.severities : contains(["high", "medium", "low"], severity)]]))
    error_message = "alert_subscriptions: severities are high, medium and low."
  }

  validation {
    condition     = length(distinct([for it in var.alert_subscriptions : "${it.protocol} ${it.endpoint}"])) == length(var.alert_subscriptions)
    error_message = "alert_subscriptions: an endpoint is there twice; name all its subreddits in one."
  }
}

variable "digest_minutes" {
  description = "How many minutes of comments a digest is about."
  type        = number
  default     = 5

  validation {
    condition     = contains([1, 2, 3, 5, 10, 15, 20, 30, 60], var.digest_minutes)
    error_message = "digest_minutes must divide an hour: 1, 2, 3, 5, 10, 15, 20, 30 or 60."
  }
}

variable "forum_url" {
  description = "Where permalinks of comments lead that are paths, in digests and pages."
  type        = string
  default     = "https://www.reddit.com"

  validation {
    condition     = can(regex("^https?://[^ ]+$", var.forum_url))
    error_message = "forum_url must be an address, such as https://www.reddit.com."
  }
}

variable "desk_access" {
  description = "Who sees the desk: iam (whoever may invoke the function's URL, with signed requests) or signed-link (whoever has a link of `modstream desk-link`, in a browser)."
  type        = string
  default     = "iam"

  validation {
    condition     = contains(["iam", "signed-link"], var.desk_access)
    error_message = "desk_access must be iam or signed-link."
  }
}

variable "front_door_enabled" {
  description = "Whether there is a front door: an address of its own that anybody reaches and a key opens, for comments in and checks before they are posted (Perspective's, OpenAI's and Coral's shapes)."
  type        = bool
  default     = false
}

variable "front_door" {
  description = "Which label answers for which of Perspective's and OpenAI's names: a document in TOML, for example file(\"front-door.toml\"). Empty: shared/pages/gateway/default.toml."
  type        = string
  default     = ""

  validation {
    condition     = length(var.front_door) <= 3000
    error_message = "front_door must have at most 3000 characters: Lambda takes 4 KB of settings."
  }
}

variable "coral_secret_arn" {
  description = "The secret whose text is that by which Coral signs, a line each while it is changed. Where it is not set, Coral is not answered."
  type        = string
  default     = null

  validation {
    condition     = var.coral_secret_arn == null || can(regex("^arn:[^:]+:secretsmanager:[^:]*:[0-9]{12}:secret:.+$", var.coral_secret_arn))
    error_message = "coral_secret_arn must be the ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:123456789012:secret:coral-AbCdEf."
  }
}

variable "front_door_concurrency" {
  description = "How many requests the front door answers at once; they are reserved for it, and each counts a key's quota by itself. null: as many as the account has left."
  type        = number
  default     = null

  validation {
    condition     = var.front_door_concurrency == null || try(var.front_door_concurrency >= 0 && floor(var.front_door_concurrency) == var.front_door_concurrency, false)
    error_message = "front_door_concurrency must be a whole number from 0 (nobody is answered), or null."
  }
}

# How much.

variable "shards" {
  description = "Shards of comments and of predictions each. One takes 1,000 records or 1 MiB a second (some 700 predictions), and is read by one function at a time."
  type        = number
  default     = 1

  validation {
    condition     = var.shards >= 1 && var.shards <= 200 && floor(var.shards) == var.shards
    error_message = "shards must be a whole number from 1 to 200."
  }
}

variable "decisions_shards" {
  description = "Shards of a stream of decisions' own, for a reader that wants to see nothing else. 0: decisions and changes are on the stream of predictions, and cost no shard."
  type        = number
  default     = 0

  validation {
    condition     = var.decisions_shards >= 0 && var.decisions_shards <= 200 && floor(var.decisions_shards) == var.decisions_shards
    error_message = "decisions_shards must be a whole number from 1 to 200, or 0 to put decisions on the stream of predictions."
  }
}

variable "retention_hours" {
  description = "How long a stream keeps its records. A mapping gives up an hour before."
  type        = number
  default     = 24

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 168
    error_message = "retention_hours must be from 24 to 168: Lambda takes no record age above a week."
  }
}

variable "archive_days" {
  description = "How long the archive of comments is kept, in days. null: for ever."
  type        = number
  default     = 30

  validation {
    condition     = var.archive_days == null ? true : var.archive_days >= 1 && floor(var.archive_days) == var.archive_days
    error_message = "archive_days must be a whole number from 1, or null to keep the archive for ever."
  }
}

variable "recovery_days" {
  description = "To which of the last days the table can be restored: 1 to 35, or null for none. A text that was deleted or forgotten can be restored for as long."
  type        = number
  default     = 1

  validation {
    condition     = var.recovery_days == null ? true : var.recovery_days >= 1 && var.recovery_days <= 35 && floor(var.recovery_days) == var.recovery_days
    error_message = "recovery_days must be a whole number from 1 to 35, or null to keep no copies of the table."
  }
}

variable "table_key_arn" {
  description = "The KMS key that encrypts the table. null: one of DynamoDB's own, for which nothing is paid."
  type        = string
  default     = null

  validation {
    condition     = var.table_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.table_key_arn))
    error_message = "table_key_arn must be the ARN of a KMS key, for example arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab; an alias is none."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept, in days, as CloudWatch allows them."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731."
  }
}

variable "alarm_actions" {
  description = "ARNs that an alarm tells when it rings and when it is over, for example a topic of your operators'."
  type        = list(string)
  default     = []
}
