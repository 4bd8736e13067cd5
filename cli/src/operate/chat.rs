//! Incoming webhooks of chats, which can't be subscribed to a topic.

use url::Url;

/// A chat, and the hosts of its incoming webhooks: each as it is, or with a dot before it whatever ends with it.
const CHATS: [(&str, &[&str]); 5] = [
    ("Slack", &["hooks.slack.com", "hooks.slack-gov.com"]),
    ("Discord", &["discord.com", ".discord.com", "discordapp.com", ".discordapp.com"]),
    (
        "Microsoft Teams",
        &[
            ".webhook.office.com",
            "outlook.office.com",
            "outlook.office365.com",
            // Workflows, which Teams has in place of connectors.
            ".logic.azure.com",
            ".logic.azure.us",
            ".api.powerplatform.com",
        ],
    ),
    ("Google Chat", &["chat.googleapis.com"]),
    ("Amazon Chime", &["hooks.chime.aws"]),
];

/// The chat whose incoming webhook this address is; none where it is none's.
pub(crate) fn chat_of(address: &str) -> Option<&'static str> {
    let url = Url::parse(address.trim()).ok()?;
    // A host may be written with the dot of the root at its end.
    let host = url.host_str()?.trim_end_matches('.').to_owned();
    let is_one_of = |hosts: &[&str]| {
        hosts.iter().any(|known| if known.starts_with('.') { host.ends_with(known) } else { host == *known })
    };
    CHATS.into_iter().find(|(_, hosts)| is_one_of(hosts)).map(|(chat, _)| chat)
}

/// What is said of it, and what does instead.
pub(crate) fn refusal(chat: &str) -> String {
    format!(
        "this is an incoming webhook of {chat}: it takes messages of its own form alone, and can't confirm a subscription, so \
         nothing would ever arrive. Subscribe the channel's email address to digests (--email), or a small function that posts \
         each alert to this address: docs/deploy.md has both, \"Into a chat\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chats_incoming_webhook_is_known_however_it_is_written() {
        for (address, chat) in [
            ("https://hooks.slack.com/services/T0/B0/x", "Slack"),
            ("HTTPS://Hooks.Slack.COM:443/services/T0/B0/x", "Slack"),
            ("https://hooks.slack.com./workflows/T0/A0/1/x", "Slack"),
            ("https://hooks.slack-gov.com/services/T0/B0/x", "Slack"),
            (" https://someone@discord.com/api/webhooks/1/x", "Discord"),
            ("https://discordapp.com/api/webhooks/1/x/slack", "Discord"),
            ("https://canary.discord.com/api/v10/webhooks/1/x", "Discord"),
            ("https://ours.webhook.office.com/webhookb2/x@y/IncomingWebhook/z", "Microsoft Teams"),
            ("https://outlook.office.com/webhook/x", "Microsoft Teams"),
            ("https://outlook.office365.com/webhook/x", "Microsoft Teams"),
            (
                "https://prod-17.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke",
                "Microsoft Teams",
            ),
            ("https://x.59.environment.api.powerplatform.com/powerautomate/x", "Microsoft Teams"),
            ("https://chat.googleapis.com/v1/spaces/x/messages?key=y", "Google Chat"),
            ("https://hooks.chime.aws/incomingwebhooks/x", "Amazon Chime"),
        ] {
            assert_eq!(chat_of(address), Some(chat), "{address}");
        }
    }

    #[test]
    fn other_addresses_are_no_chats() {
        for address in [
            "https://example.org/alerts",
            "https://example.org/hooks.slack.com/services",
            "https://hooks.slack.com.example.org/services",
            "https://slack.com/api/chat.postMessage",
            "https://nodiscord.com/api/webhooks/1/x",
            "https://logic.azure.com.example.org/",
            "https://office.com/",
            "https://example.org/?to=https://discord.com/api/webhooks/1/x",
            "hooks.slack.com/services",
            "",
        ] {
            assert_eq!(chat_of(address), None, "{address}");
        }
    }
}
