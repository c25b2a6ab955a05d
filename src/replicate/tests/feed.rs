//! How a server's feed is read: no more of it than is needed, and not for ever.

use super::convergence::{Observed, impatient, peer};
use crate::env::block_on;
use crate::http::testing::Couch;
use crate::replicate::ReplicationEvent;
use serde_json::json;

/// Pulls to the end: how many documents came, and the requests to the feed.
fn pull(couch: &Couch) -> (u64, Vec<String>) {
    let events =
        block_on(Observed::start(peer(couch, "from"), peer(couch, "to"), json!({}), impatient()).rest());
    let Some(ReplicationEvent::Complete(report)) = events.last() else { panic!("{:?}", events.last()) };
    (report.docs_written, couch.log().into_iter().filter(|line| line.contains("/_changes")).collect())
}

#[test]
fn a_page_needs_no_seq_but_its_last() {
    let couch = Couch::new();
    couch.put("from", json!({"_id": "a"}));
    let rev = couch.put("from", json!({"_id": "b"}));
    let row = json!({"id": "b", "seq": null, "changes": [{"rev": rev}]});
    couch.rule("/from/_changes", 200, json!({"results": [row], "last_seq": "2-x", "pending": 0}));
    let (written, feeds) = pull(&couch);
    assert_eq!(written, 1);
    assert!(feeds[0].contains("&seq_interval=250&limit=1999&"), "{feeds:?}");
}

#[test]
fn a_feed_without_rows_comes_to_an_end_whatever_it_says() {
    let couch = Couch::new();
    couch.put("from", json!({"_id": "a"}));
    let page = |seq: u32| json!({"results": [], "last_seq": format!("{seq}-x"), "pending": 5});
    for seq in 1..200_u32 {
        couch.rule(&format!("since={seq}-x"), 200, page(seq + 1));
    }
    couch.rule("/from/_changes", 200, page(1));
    let (written, feeds) = pull(&couch);
    assert_eq!((written, feeds.len()), (0, 100));
}
