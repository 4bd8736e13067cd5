//! The types of the contract, in one list.

/// Calls a function once for each type, as `check::<Alert<'_>>(...)`.
macro_rules! for_each_type {
    ($check:ident($($argument:expr),*)) => {
        $check::<modstream_events::Alert<'_>>($($argument),*);
        $check::<modstream_events::BreakerClosed<'_>>($($argument),*);
        $check::<modstream_events::Comment<'_>>($($argument),*);
        $check::<modstream_events::CommentDeleted<'_>>($($argument),*);
        $check::<modstream_events::CommentEdited<'_>>($($argument),*);
        $check::<modstream_events::CommentReported<'_>>($($argument),*);
        $check::<modstream_events::Decision<'_>>($($argument),*);
        $check::<modstream_events::Feedback<'_>>($($argument),*);
        $check::<modstream_events::ModelPromoted<'_>>($($argument),*);
        $check::<modstream_events::PoliciesChanged<'_>>($($argument),*);
        $check::<modstream_events::Prediction<'_>>($($argument),*);
        $check::<modstream_events::Quarantined<'_>>($($argument),*);
    };
}

pub(crate) use for_each_type;
