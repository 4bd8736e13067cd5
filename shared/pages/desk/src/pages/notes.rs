//! Pages that say one thing.

use modstream_links::LinkError;
use modstream_report::escape::{escape, foreign};

use super::shell;

/// What a page says.
#[derive(Clone, Debug)]
pub(crate) enum Note<'a> {
    Link(LinkError),
    OtherKind,
    UsedSignIn,
    NoSession,
    NoCaller,
    NoAlert,
    NoDigest,
    NoPage,
    NoMethod,
    NoForm,
    TooLarge,
    ForeignForm,
    /// A form with a field that can't be used.
    Field(&'a str),
    Unavailable,
    SignedOut,
}

impl Note<'_> {
    pub(crate) fn status(&self) -> u16 {
        match self {
            Note::Link(LinkError::Expired) => 410,
            Note::Link(_) | Note::OtherKind | Note::UsedSignIn | Note::NoCaller | Note::ForeignForm => 403,
            Note::NoSession => 401,
            Note::NoAlert | Note::NoDigest | Note::NoPage => 404,
            Note::NoMethod => 405,
            Note::NoForm => 415,
            Note::TooLarge => 413,
            Note::Field(_) => 400,
            Note::Unavailable => 503,
            Note::SignedOut => 200,
        }
    }

    fn words(&self) -> (&str, &str) {
        match self {
            Note::Link(LinkError::Malformed) => (
                "This link is not complete",
                "Copy all of it from the message, to the last letter. Some mail programs break long links into two lines.",
            ),
            Note::Link(LinkError::Forged) => (
                "This link is not valid",
                "It was not made here, or its key is no longer in use. Open the alert from a newer digest, or at the desk.",
            ),
            Note::Link(LinkError::Expired) => (
                "This link has expired",
                "Nothing was decided by it. Open the alert from a newer digest, or at the desk. To sign in, ask for a new link.",
            ),
            Note::OtherKind => ("This link is for another page", "Copy all of it from the message, unchanged."),
            Note::UsedSignIn => (
                "This sign-in link was used before",
                "It signs in once. Ask whoever runs the system for a new one (modstream desk-link).",
            ),
            Note::NoSession => (
                "Please sign in",
                "The desk opens with a sign-in link. Ask whoever runs the system for one (modstream desk-link).",
            ),
            Note::NoCaller => (
                "Nobody is signed in",
                "This desk is open to callers that AWS IAM knows. Sign your requests, or set desk_access to signed-link.",
            ),
            Note::NoAlert => (
                "There is no such alert",
                "The link is good, but the alert is not in the ledger any more. It may have been removed after its time.",
            ),
            Note::NoDigest => (
                "There is no such digest",
                "The link is good, but the digest is not there any more. It may have been removed after its time.",
            ),
            Note::NoPage => ("There is no such page", "Look at the address again, or start at the desk."),
            Note::NoMethod => ("That is not possible here", "Open the page in a browser, and use its buttons."),
            Note::NoForm => {
                ("That was no form", "Nothing was decided. Open the page in a browser, and use its buttons.")
            }
            Note::TooLarge => ("That was too much", "Nothing was decided. A form here has a few short fields."),
            Note::ForeignForm => {
                ("This page is too old", "Nothing was decided. Open the desk again, and decide there.")
            }
            Note::Field(what) => ("That could not be read", what),
            Note::Unavailable => (
                "That did not work",
                "It is not known whether it was recorded. Go back and try again: deciding twice does no harm.",
            ),
            Note::SignedOut => ("You are signed out", "To come back, ask for a new sign-in link."),
        }
    }
}

pub(crate) fn note(note: &Note<'_>) -> String {
    let (title, what) = note.words();
    shell(title, "narrow", &format!("<main><h1>{}</h1><p>{}</p></main>", escape(title), escape(what)))
}

/// Asks whether to sign in: a click, which a scanner of mails does not make.
pub(crate) fn sign_in(path: &str, moderator: &str, hours: i64) -> String {
    let content = format!(
        "<main><h1>Sign in as {}?</h1><p>The session lasts {hours} hours, in this browser. The link works once.</p>\
         <form method=\"post\" action=\"{}\" class=\"question\"><div class=\"buttons\"><button class=\"first\">Sign in</button></div></form></main>",
        foreign(moderator),
        escape(path)
    );
    shell("Sign in", "narrow", &content)
}
