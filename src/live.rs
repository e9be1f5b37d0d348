//! The hub of live updates: what the drain has stored is told to whoever looks at a dashboard now.
//!
//! It holds a bounded number of messages and never waits for a reader: one that is too slow is told to fetch again.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::model::id::{OrgId, RequestId};
use crate::model::query::Written;

/// Publishes what was stored. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    sender: broadcast::Sender<Arc<[(OrgId, RequestId)]>>,
}

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveEvent {
    /// These calls of its organisation are new in the store.
    New(Vec<RequestId>),
    /// It was too slow and missed some: fetch again.
    Refetch,
}

/// One organisation's view of the hub.
pub struct Feed {
    org: OrgId,
    receiver: broadcast::Receiver<Arc<[(OrgId, RequestId)]>>,
}

impl Live {
    /// `capacity`: batches that a reader may lag behind.
    pub fn new(capacity: usize) -> Self {
        Self { sender: broadcast::Sender::new(capacity.max(1)) }
    }

    /// Tells the subscribers of each organisation its new calls. Never waits.
    pub fn publish(&self, written: &Written) {
        if self.sender.receiver_count() > 0 && !written.new.is_empty() {
            self.sender.send(written.new.as_slice().into()).ok();
        }
    }

    pub fn subscribe(&self, org: OrgId) -> Feed {
        Feed { org, receiver: self.sender.subscribe() }
    }
}

impl Feed {
    /// Waits for the next event of the organisation; `None` when the hub is gone.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            match self.receiver.recv().await {
                Ok(batch) => {
                    let mine: Vec<_> = batch.iter().filter(|(org, _)| *org == self.org).map(|(_, id)| *id).collect();
                    if !mine.is_empty() {
                        return Some(LiveEvent::New(mine));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(LiveEvent::Refetch),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_organisation_hears_of_its_own_calls_and_of_what_it_missed() {
        let live = Live::new(2);
        let (mine, other) = (OrgId::generate(), OrgId::generate());
        let mut feed = live.subscribe(mine);
        let ids: Vec<_> = (0..5).map(|_| RequestId::generate()).collect();
        live.publish(&Written { new: vec![(other, ids[0]), (mine, ids[1])], replayed: 0 });
        assert_eq!(feed.next().await, Some(LiveEvent::New(vec![ids[1]])));
        for id in ids {
            live.publish(&Written { new: vec![(mine, id)], replayed: 0 });
        }
        assert_eq!(feed.next().await, Some(LiveEvent::Refetch));
    }
}
