//! Pages that say one thing.

use maud::html;
use modstream_links::LinkError;

use super::{Width, shell};

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
    Panicked,
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
            Note::Panicked => 500,
            Note::SignedOut => 200,
        }
    }

    fn words(&self) -> (&str, &str) {
        match self {
            Note::Link(LinkError::Malformed) => (
                "This link is not complete",
                "Copy the whole link from the message, to the last letter. Some mail programs break long links into two lines.",
            ),
            Note::Link(LinkError::Forged) => (
                "This link is not valid",
                "The link was not made here, or its key is no longer in use. Open the alert from a newer digest, or at the desk.",
            ),
            Note::Link(LinkError::Expired) => (
                "This link has expired",
                "The link decided nothing. Open the alert from a newer digest, or at the desk. To sign in, ask for a new link.",
            ),
            Note::OtherKind => ("This link is for another page", "Copy the whole link from the message, unchanged."),
            Note::UsedSignIn => (
                "This sign-in link was used before",
                "A sign-in link works once. Ask whoever runs modstream here for a new one (modstream desk-link).",
            ),
            Note::NoSession => (
                "Please sign in",
                "The desk opens with a sign-in link. Ask whoever runs modstream here for one (modstream desk-link).",
            ),
            Note::NoCaller => (
                "Nobody is signed in",
                "This desk is open to callers that AWS IAM knows. Sign your requests, or set desk_access to signed-link.",
            ),
            Note::NoAlert => (
                "There is no such alert",
                "The link is good, but the ledger no longer holds the alert. The ledger deletes old alerts.",
            ),
            Note::NoDigest => (
                "There is no such digest",
                "The link is good, but the digest is no longer there. Old digests are deleted.",
            ),
            Note::NoPage => ("There is no such page", "Check the address, or start at the desk."),
            Note::NoMethod => ("That is not possible here", "Open the page in a browser, and use its buttons."),
            Note::NoForm => {
                ("That was not a form", "Nothing was decided. Open the page in a browser, and use its buttons.")
            }
            Note::TooLarge => ("That was too much", "Nothing was decided. A form here has a few short fields."),
            Note::ForeignForm => {
                ("This page is too old", "Nothing was decided. Open the desk again, and decide there.")
            }
            Note::Field(what) => ("That could not be read", what),
            Note::Unavailable => (
                "That did not work",
                "The decision may or may not have been recorded. Go back and try again: deciding twice does no harm.",
            ),
            Note::Panicked => (
                "This page can't be shown",
                "That is modstream's own mistake: its log has the place. What you decided may have been recorded, and deciding twice does no harm. Other pages work.",
            ),
            Note::SignedOut => ("You are signed out", "To come back, ask for a new sign-in link."),
        }
    }
}

pub(crate) fn note(note: &Note<'_>) -> String {
    let (title, what) = note.words();
    shell(title, Width::Narrow, &html! { main { h1 { (title) } p { (what) } } })
}
