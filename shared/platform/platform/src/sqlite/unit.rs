//! What an invocation puts on streams, gathered until its checkpoint is written with it.

use std::cell::RefCell;
use std::sync::Arc;

use super::stream::{Put, Shared};
use crate::event_source::Gathered;

tokio::task_local! {
    static GATHERED: RefCell<Unit>;
}

/// Records of an invocation that is not done yet, by stream, in the order in which they were put.
#[derive(Debug, Default)]
pub struct Unit {
    pub(super) puts: Vec<(Arc<Shared>, Vec<Put>)>,
}

impl Gathered for Unit {
    fn is_empty(&self) -> bool {
        self.puts.is_empty()
    }
}

/// Runs an invocation, and gathers what it puts.
pub(super) async fn gathering<T>(invocation: impl Future<Output = T>) -> (T, Unit) {
    GATHERED
        .scope(RefCell::default(), async {
            let answer = invocation.await;
            (answer, GATHERED.with(RefCell::take))
        })
        .await
}

/// Keeps records for the end of the invocation that puts them; gives them back where there is none.
pub(super) fn gather(stream: &Arc<Shared>, puts: Vec<Put>) -> Option<Vec<Put>> {
    let mut puts = Some(puts);
    let _ = GATHERED.try_with(|unit| {
        let mut unit = unit.borrow_mut();
        let puts = puts.take().unwrap_or_default();
        match unit.puts.last_mut().filter(|(last, _)| Arc::ptr_eq(last, stream)) {
            Some((_, gathered)) => gathered.extend(puts),
            None => unit.puts.push((Arc::clone(stream), puts)),
        }
    });
    puts
}
