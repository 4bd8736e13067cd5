//! Listings that come a page a call.

use std::future::Future;

use crate::{CallError, CallErrorKind};

/// A page of a listing, as a service answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, N> {
    /// What the page holds, in order.
    pub entries: Vec<T>,
    /// How many entries the service says the page has, where it does.
    pub announced: Option<usize>,
    /// Whether another page follows. None where the answer broke off before it said so.
    pub is_truncated: Option<bool>,
    /// Names the page that follows.
    pub next: Option<N>,
}

impl<T, N: PartialEq> Page<T, N> {
    /// What the page holds, and what names the next one, where there is one.
    ///
    /// # Errors
    /// Where the page broke off, or does not say what follows: half a page is none.
    pub fn whole(
        self,
        service: &'static str,
        operation: &'static str,
        after: Option<&N>,
    ) -> Result<(Vec<T>, Option<N>), CallError> {
        let Page { entries, announced, is_truncated, next } = self;
        let broken = |message: &str| {
            Err(CallError { service, operation, kind: CallErrorKind::OutcomeUnknown, message: message.to_owned() })
        };
        let Some(is_truncated) = is_truncated else { return broken("a page that broke off") };
        if announced.is_some_and(|announced| announced != entries.len()) {
            return broken("a page that broke off");
        }
        if !is_truncated {
            return Ok((entries, None));
        }
        if next.is_none() || next.as_ref() == after {
            return broken("a page that does not say what follows");
        }
        Ok((entries, next))
    }
}

/// All entries of a listing: `page` answers the first page, and then each that the one before names. A page may hold fewer
/// entries than others, or none, and still be followed by more.
///
/// # Errors
/// Where a page is not answered, broke off, or does not say what follows: half a listing is none.
pub async fn all_pages<T, N, F>(
    service: &'static str,
    operation: &'static str,
    page: impl Fn(Option<N>) -> F + Send,
) -> Result<Vec<T>, CallError>
where
    T: Send,
    N: Clone + PartialEq + Send,
    F: Future<Output = Result<Page<T, N>, CallError>> + Send,
{
    let mut all = Vec::new();
    let mut after: Option<N> = None;
    loop {
        let (entries, next) = page(after.clone()).await?.whole(service, operation, after.as_ref())?;
        all.extend(entries);
        if next.is_none() {
            return Ok(all);
        }
        after = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(entries: &[u32], next: Option<u32>) -> Page<u32, u32> {
        let announced = Some(entries.len());
        Page { entries: entries.to_vec(), announced, is_truncated: Some(next.is_some()), next }
    }

    /// The pages by what names them; the first by none.
    async fn listed(pages: &[(Option<u32>, Page<u32, u32>)]) -> Result<Vec<u32>, CallErrorKind> {
        let answer = |after| {
            let found = pages.iter().find(|(name, _)| *name == after).map(|(_, page)| page.clone());
            let error = || CallError {
                service: "s3",
                operation: "List",
                kind: CallErrorKind::Unavailable,
                message: String::new(),
            };
            std::future::ready(found.ok_or_else(error))
        };
        all_pages("s3", "List", answer).await.map_err(|error| error.kind)
    }

    #[tokio::test]
    async fn a_listing_is_all_of_its_pages_short_and_empty_ones_too() {
        let pages = [(None, page(&[1, 2], Some(7))), (Some(7), page(&[], Some(8))), (Some(8), page(&[3], None))];
        assert_eq!(listed(&pages).await, Ok(vec![1, 2, 3]));
    }

    #[tokio::test]
    async fn half_a_listing_is_none() {
        let first = || (None, page(&[1, 2], Some(7)));
        let second = page(&[3], None);
        assert_eq!(listed(&[first()]).await, Err(CallErrorKind::Unavailable));
        for broken in [
            Page { is_truncated: None, ..second.clone() },
            Page { announced: Some(2), ..second.clone() },
            Page { is_truncated: Some(true), ..second.clone() },
            page(&[3], Some(7)),
        ] {
            assert_eq!(
                listed(&[first(), (Some(7), broken.clone())]).await,
                Err(CallErrorKind::OutcomeUnknown),
                "{broken:?}"
            );
        }
    }
}
