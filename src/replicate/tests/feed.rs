//! How a server's feed is read: no more of it than is needed, and not for ever.

use super::observed::{Observed, impatient, peer};
use crate::env::block_on;
use crate::http::testing::{Couch, Fault};
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

/// A live replication that has come to rest.
async fn live(couch: &Couch) -> Observed {
    let options = json!({"live": true, "retry": true});
    let mut live = Observed::start(peer(couch, "from"), peer(couch, "to"), options, impatient());
    live.next("paused").await;
    live
}

fn waiting(couch: &Couch, feed: &str) -> Vec<String> {
    let is_meant = |line: &String| line.contains(&format!("feed={feed}"));
    couch.log().into_iter().filter(is_meant).collect()
}

/// Writes documents one after the other, each when the one before has arrived.
async fn write(couch: &Couch, live: &mut Observed, count: usize) {
    for _ in 0..count {
        let id = format!("later-{}", couch.log().len());
        couch.put("from", json!({"_id": id}));
        live.next("change").await;
        live.next("paused").await;
        assert!(couch.with("to", |to| to.leaves().contains_key(&id)));
    }
}

async fn end(live: Observed) {
    live.handle.cancel();
    live.rest().await;
}

#[test]
fn a_live_feed_is_one_request_for_many_changes() {
    let couch = Couch::new();
    couch.put("from", json!({"_id": "a"}));
    block_on(async {
        let mut live = live(&couch).await;
        write(&couch, &mut live, 5).await;
        end(live).await;
    });
    let waiting = waiting(&couch, "continuous");
    assert_eq!(waiting.len(), 1, "{waiting:#?}");
    let wanted = "GET /from/_changes?heartbeat=10000&style=all_docs&feed=continuous&since=";
    assert!(waiting[0].starts_with(wanted), "{waiting:#?}");
    assert_eq!(couch.feeds(), 0, "it was left open");
}

#[test]
fn a_server_that_does_not_know_such_a_feed_is_asked_for_each_change() {
    let page = json!({"results": [], "last_seq": "1-x", "pending": 0}).to_string();
    let row = r#"{"seq":"1-x","id":"a","changes":[{"rev":"1-x"}]}"#;
    let in_lines = format!("{{\"results\":[\n{row}\n],\n\"last_seq\":\"1-x\",\"pending\":0}}\n");
    let answers =
        [(400, ""), (501, ""), (200, ""), (200, &page), (200, &in_lines), (200, "<html>\nLog in\n</html>")];
    for (status, answer) in answers {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "a"}));
        couch.raw_rule("feed=continuous", status, answer.as_bytes());
        block_on(async {
            let mut live = live(&couch).await;
            write(&couch, &mut live, 3).await;
            end(live).await;
        });
        assert!((1..=2).contains(&waiting(&couch, "continuous").len()), "{status} {answer}");
        assert!(waiting(&couch, "longpoll").len() >= 3);
    }
}

#[test]
fn an_error_of_such_a_feed_is_the_replications() {
    for (status, answer) in
        [(500, "{}"), (429, "{}"), (200, "\n{\"error\":\"internal_server_error\",\"reason\":\"oops\"}\n")]
    {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "a"}));
        couch.raw_rule("feed=continuous", status, answer.as_bytes());
        block_on(async {
            let options = json!({"live": true, "retry": true});
            let mut live = Observed::start(peer(&couch, "from"), peer(&couch, "to"), options, impatient());
            // It may be met while the checkpoint is being written, or when everything is said to be there.
            let failure = loop {
                if let ReplicationEvent::Paused(Some(failure)) = live.next("paused").await {
                    break failure;
                }
            };
            assert_eq!(failure.error.status(), if status == 200 { 500 } else { status });
            couch.clear_rules();
            write(&couch, &mut live, 2).await;
            end(live).await;
        });
        assert!(waiting(&couch, "longpoll").is_empty());
    }
}

#[test]
fn a_feed_that_breaks_off_within_a_row_goes_on_from_the_row_before() {
    for fault in [Fault::Cut, Fault::Truncate] {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "a"}));
        block_on(async {
            let mut live = live(&couch).await;
            write(&couch, &mut live, 2).await;
            // The next feed is opened where this one ends, and is broken.
            couch.end_feeds();
            for number in 0..20 {
                couch.fail(couch.log().len() + number, fault.clone());
            }
            couch.put("from", json!({"_id": "meanwhile"}));
            live.next("change").await;
            live.next("paused").await;
            write(&couch, &mut live, 4).await;
            end(live).await;
        });
        assert!(couch.with("to", |to| to.leaves().contains_key("meanwhile")));
    }
}
