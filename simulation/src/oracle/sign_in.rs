//! A sign-in link signs in one browser, and that one whatever happens to answers on the way.

use super::Evidence;
use crate::moderators::{Click, SignIn};

pub(super) fn broken(evidence: &Evidence) -> Vec<String> {
    let all = evidence.sign_ins.iter().filter_map(|SignIn { who, first, other }| match first {
        Click::Refused => Some(format!("{who} was refused by a sign-in link that nobody else had opened")),
        Click::SignedIn if *other == Some(Click::SignedIn) => {
            Some(format!("{who}'s sign-in link signed in two browsers"))
        }
        // Who got no answer may have used the link up, or not.
        Click::SignedIn | Click::Unknown => None,
    });
    all.collect()
}
