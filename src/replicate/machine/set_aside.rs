//! Documents that the source did not give or the target did not take: which they are, and when they are tried again.
//!
//! They are kept in a checkpoint document, so that it says of everything before its position either that the target has
//! it or that it is to be tried again.

use super::fetch::Refused;
use crate::doc::{Rev, is_local};
use crate::env::Millis;
use crate::error::Error;
use crate::replicate::checkpoint::SET_ASIDE;
use crate::replicate::peer::{ChangeRow, ChangedRev, DocRevs, LocalDoc};
use crate::sort::sort_by_key;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most documents that are kept, and the most bytes, because they are written with each checkpoint.
const MOST: usize = 1_000;
const MOST_BYTES: usize = 64 << 10;
/// What is written around an id and a revision.
const BYTES_AROUND: usize = 20;

/// When they are tried again first.
pub(super) const FIRST_PAUSE: Millis = Millis(60_000);
/// The longest time between two tries.
const LONGEST_PAUSE: Millis = Millis(3_600_000);

/// The documents that were set aside.
#[derive(Debug, Default)]
pub(super) struct SetAside {
    docs: BTreeMap<Rc<str>, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    revs: Vec<String>,
    /// When it was tried last, and how long it is left alone since then: not at all if that was before this replication.
    tried: Millis,
    pause: Millis,
    /// Why it was refused the last time, as the application knows.
    told: Vec<Error>,
}

impl Entry {
    /// A clock that was put back delays nothing.
    fn left(&self, now: Millis) -> Millis {
        if now < self.tried { Millis(0) } else { self.pause.left(self.tried, now) }
    }

    /// Those that are nearly due are, so that they are tried together.
    fn is_due(&self, now: Millis) -> bool {
        self.left(now).0 <= self.pause.0 / 4
    }

    fn put_off(&mut self, now: Millis) {
        self.pause = Millis(self.pause.0.saturating_mul(2).clamp(FIRST_PAUSE.0, LONGEST_PAUSE.0));
        self.tried = now;
    }

    fn bytes(&self, id: &str) -> usize {
        let revs: usize = self.revs.iter().map(|rev| rev.len() + BYTES_AROUND).sum();
        id.len() + BYTES_AROUND + revs
    }
}

impl SetAside {
    /// Those that a checkpoint document names, all of them due. What is malformed, or more than is kept, is left out.
    pub(super) fn read(doc: &LocalDoc) -> Self {
        #[derive(Deserialize)]
        struct Kept {
            id: Rc<str>,
            revs: Vec<String>,
        }
        let mut all = Self::default();
        let list = doc.get(SET_ASIDE).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for Kept { id, revs } in list.iter().filter_map(|kept| Kept::deserialize(kept).ok()).take(MOST) {
            let has_revs = !revs.is_empty() && revs.iter().all(|rev| rev.parse::<Rev>().is_ok());
            if has_revs && !id.is_empty() && !is_local(&id) {
                all.insert(id, Entry { revs, tried: Millis(0), pause: Millis(0), told: Vec::new() });
            }
        }
        all
    }

    /// What a checkpoint document keeps of them; `None` where there are none.
    pub(super) fn to_value(&self) -> Option<Value> {
        let kept = |(id, entry): (&Rc<str>, &Entry)| json!({"id": &**id, "revs": entry.revs});
        (!self.docs.is_empty()).then(|| self.docs.iter().map(kept).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.docs.len()
    }

    /// Takes what was `found` in place of these; of those that stay the same it stays known what was told of them.
    pub(super) fn replace(&mut self, found: Self) {
        let known = std::mem::replace(self, found).docs;
        for (id, entry) in known {
            if let Some(found) = self.docs.get_mut(&id).filter(|found| found.revs == entry.revs) {
                *found = entry;
            }
        }
    }

    /// The feed has brought these documents, all leaves of them, and they are done but for those that were `refused`.
    /// Whether that has changed anything here.
    pub(super) fn passed(
        &mut self,
        docs: impl FnOnce() -> Vec<DocRevs>,
        refused: &[Refused],
        now: Millis,
    ) -> bool {
        if self.docs.is_empty() && refused.is_empty() {
            return false;
        }
        let mut changed = false;
        for DocRevs { id, revs, .. } in docs() {
            let told: Vec<Error> = errors_of(&id, refused).collect();
            changed |= self.remove(&id);
            if !told.is_empty() {
                changed |= self.insert(id, Entry { revs, tried: now, pause: FIRST_PAUSE, told });
            }
        }
        changed
    }

    /// Up to `most` of those that are due now, as rows of the feed: those first that have waited longest. `again`: whether also
    /// those that were tried before in this replication.
    pub(super) fn due(&self, now: Millis, most: usize, again: bool) -> Vec<ChangeRow> {
        let row = |(id, entry): (&Rc<str>, &Entry)| ChangeRow {
            id: id.to_string(),
            seq: None,
            changes: entry.revs.iter().map(|rev| ChangedRev { rev: rev.clone() }).collect(),
            deleted: false,
            doc: None,
            is_own: false,
        };
        let is_due = |entry: &Entry| entry.is_due(now) && (again || entry.pause == Millis(0));
        let mut due: Vec<_> = self.docs.iter().filter(|(_, entry)| is_due(entry)).collect();
        sort_by_key(&mut due, |(_, entry)| entry.tried);
        due.into_iter().take(most).map(row).collect()
    }

    /// How long it is until one of them is due.
    pub(super) fn wait(&self, now: Millis) -> Option<Millis> {
        self.docs.values().map(|entry| entry.left(now)).min()
    }

    /// These were tried again, and are done but for those that were `refused` once more. Gives the reasons that are not
    /// those of the last time.
    pub(super) fn tried(&mut self, rows: &[ChangeRow], refused: &[Refused], now: Millis) -> Vec<Error> {
        let mut news = Vec::new();
        for row in rows {
            let Some(entry) = self.docs.get_mut(row.id.as_str()).filter(|entry| is_of(entry, row)) else {
                continue;
            };
            let told: Vec<Error> = errors_of(&row.id, refused).collect();
            if told.is_empty() {
                self.remove(&row.id);
                continue;
            }
            news.extend(told.iter().filter(|error| !entry.told.contains(error)).cloned());
            entry.told = told;
            entry.put_off(now);
        }
        news
    }

    /// Trying these again has come to nothing, for a reason that may be theirs or that of all.
    pub(super) fn put_off(&mut self, rows: &[ChangeRow], now: Millis) {
        // The others come first the next time.
        for entry in self.docs.values_mut().filter(|entry| entry.is_due(now)) {
            (entry.tried, entry.pause) = (now, entry.pause.max(FIRST_PAUSE));
        }
        for row in rows {
            if let Some(entry) = self.docs.get_mut(row.id.as_str()).filter(|entry| is_of(entry, row)) {
                entry.put_off(now);
            }
        }
    }

    fn insert(&mut self, id: Rc<str>, entry: Entry) -> bool {
        self.remove(&id);
        let bytes = self.bytes + entry.bytes(&id);
        let fits = self.docs.len() < MOST && bytes <= MOST_BYTES;
        if fits {
            self.bytes = bytes;
            self.docs.insert(id, entry);
        }
        fits
    }

    fn remove(&mut self, id: &str) -> bool {
        let removed = self.docs.remove(id);
        self.bytes -= removed.as_ref().map_or(0, |entry| entry.bytes(id));
        removed.is_some()
    }
}

/// Whether the entry is still the one that the row was made of.
fn is_of(entry: &Entry, row: &ChangeRow) -> bool {
    entry.revs.iter().eq(row.changes.iter().map(|change| &change.rev))
}

/// Why this document was refused, in the words in which the application is told.
fn errors_of<'a>(id: &'a str, refused: &'a [Refused]) -> impl Iterator<Item = Error> + 'a {
    refused
        .iter()
        .filter(move |(other, _)| **other == *id)
        .map(|(id, error)| error.clone().with_doc_id(&**id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn refused(id: &str, reason: &'static str) -> Vec<Refused> {
        vec![(id.into(), Error::remote(403, "forbidden", reason))]
    }

    fn docs(ids: &[&str]) -> Vec<DocRevs> {
        ids.iter().map(|id| DocRevs::new((*id).into(), vec!["1-x".into()])).collect()
    }

    /// With one document, refused at this time.
    fn one(now: u64) -> SetAside {
        let mut all = SetAside::default();
        assert!(all.passed(|| docs(&["a", "b"]), &refused("a", "no"), Millis(now)));
        all
    }

    fn kept(list: Value) -> LocalDoc {
        let Value::Object(doc) = json!({"_id": "_local/x", SET_ASIDE: list}) else { unreachable!() };
        doc
    }

    #[test]
    fn a_document_is_tried_after_a_minute_then_after_twice_as_long_each_time_up_to_an_hour() {
        let mut all = one(1_000);
        let mut now = Millis(1_000);
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(all.wait(now), Some(Millis(minutes * MINUTE)));
            assert!(all.due(Millis(now.0 + minutes * MINUTE / 2), 9, true).is_empty());
            now = Millis(now.0 + minutes * MINUTE);
            let rows = all.due(now, 9, true);
            assert_eq!(rows.len(), 1);
            assert_eq!(all.tried(&rows, &refused("a", "no"), now), []);
        }
        assert_eq!(all.wait(Millis(0)), Some(Millis(0)), "the clock was put back");
    }

    #[test]
    fn another_reason_is_news_and_the_same_again_is_not() {
        let mut all = one(0);
        let rows = all.due(Millis(MINUTE), 9, true);
        let news = all.tried(&rows, &refused("a", "other"), Millis(MINUTE));
        assert_eq!(news.len(), 1);
        assert_eq!((news[0].doc_id(), news[0].reason()), (Some("a"), Some("other")));
        assert_eq!(all.tried(&rows, &refused("a", "other"), Millis(2 * MINUTE)), []);
        // Of one that was kept nobody in this session knows why.
        let mut kept = SetAside::read(&kept(all.to_value().unwrap()));
        let rows = kept.due(Millis(0), 9, true);
        assert_eq!(kept.tried(&rows, &refused("a", "other"), Millis(0)).len(), 1);
    }

    #[test]
    fn what_the_feed_brings_takes_the_place_of_what_was_set_aside() {
        let mut all = one(0);
        let tried = all.due(Millis(MINUTE), 9, true);
        let newer = || vec![DocRevs::new("a".into(), vec!["2-y".into()])];
        assert!(all.passed(newer, &refused("a", "no"), Millis(MINUTE)));
        // What comes of the older one is nobody's business any more.
        assert_eq!(all.tried(&tried, &[], Millis(MINUTE)), []);
        all.put_off(&tried, Millis(MINUTE));
        assert_eq!(all.to_value(), Some(json!([{"id": "a", "revs": ["2-y"]}])));
        assert_eq!(all.wait(Millis(MINUTE)), Some(FIRST_PAUSE));
        assert!(all.passed(newer, &[], Millis(MINUTE)));
        assert_eq!((all.to_value(), all.bytes), (None, 0));
        assert!(!all.passed(|| panic!("not looked at"), &[], Millis(MINUTE)));
    }

    #[test]
    fn what_is_taken_goes_and_what_could_not_be_tried_lets_the_others_go_first() {
        let mut all = SetAside::default();
        let both = [refused("a", "no"), refused("b", "no")].concat();
        all.passed(|| docs(&["a", "b"]), &both, Millis(0));
        let now = Millis(MINUTE);
        let first = all.due(now, 1, true);
        assert_eq!(first[0].id, "a");
        all.put_off(&first, now);
        assert!(all.due(now, 9, true).is_empty());
        let now = Millis(2 * MINUTE);
        let second = all.due(now, 9, true);
        assert_eq!(second.iter().map(|row| &row.id).collect::<Vec<_>>(), ["b"]);
        assert_eq!(all.tried(&second, &[], now), []);
        assert_eq!(all.to_value(), Some(json!([{"id": "a", "revs": ["1-x"]}])));
    }

    #[test]
    fn those_that_have_waited_longest_come_first_and_some_are_due_that_were_not_tried_yet() {
        let mut all = one(2 * MINUTE);
        all.passed(|| docs(&["b"]), &refused("b", "no"), Millis(MINUTE));
        all.replace(SetAside::read(&kept(json!([
            {"id": "a", "revs": ["1-x"]}, {"id": "b", "revs": ["1-x"]}, {"id": "c", "revs": ["1-x"]},
        ]))));
        let due =
            |again| all.due(Millis(9 * MINUTE), 9, again).into_iter().map(|row| row.id).collect::<String>();
        assert_eq!((due(true), due(false)), ("cba".to_owned(), "c".to_owned()));
    }

    #[test]
    fn no_more_are_kept_than_a_checkpoint_document_can_hold() {
        let mut all = SetAside::default();
        let ids: Vec<String> = (0..2_000).map(|number| format!("{number:04}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let every: Vec<Refused> = ids.iter().flat_map(|id| refused(id, "no")).collect();
        all.passed(|| docs(&ids), &every, Millis(0));
        assert_eq!(all.len(), MOST);
        let long = "x".repeat(40_000);
        let mut all = SetAside::default();
        for id in ["a", "b", "c"] {
            let id = format!("{id}{long}");
            all.passed(|| docs(&[&id]), &refused(&id, "no"), Millis(0));
        }
        assert_eq!(all.len(), 1);
        assert!(all.to_value().unwrap().to_string().len() < MOST_BYTES);
    }

    #[test]
    fn of_a_list_that_somebody_else_has_written_what_makes_sense_is_taken() {
        for nonsense in [json!(null), json!(7), json!("a"), json!({"a": ["1-x"]}), json!([]), json!([[[]]])] {
            assert_eq!(SetAside::read(&kept(nonsense)).len(), 0);
        }
        assert_eq!(SetAside::read(&LocalDoc::new()).len(), 0);
        let list = json!([
            7, {"id": "a"}, {"id": 7, "revs": ["1-x"]}, {"id": "a", "revs": "1-x"}, {"id": "a", "revs": []},
            {"id": "a", "revs": [1]}, {"id": "a", "revs": ["x"]}, {"id": "", "revs": ["1-x"]},
            {"id": "_local/a", "revs": ["1-x"]}, {"id": "good", "revs": ["1-x", "1-y"], "more": true},
            {"id": "good", "revs": ["2-x"]},
        ]);
        let all = SetAside::read(&kept(list));
        assert_eq!(all.to_value(), Some(json!([{"id": "good", "revs": ["2-x"]}])));
        let many = (0..100_000).map(|number| json!({"id": number.to_string(), "revs": ["1-x"]})).collect();
        assert_eq!(SetAside::read(&kept(many)).len(), MOST);
        let revs: Vec<_> = (0..100_000).map(|number| format!("1-{number}")).collect();
        assert_eq!(SetAside::read(&kept(json!([{"id": "a", "revs": revs}]))).len(), 0);
    }

    #[test]
    fn what_is_read_again_is_known_where_it_is_the_same() {
        let mut all = one(0);
        all.passed(|| docs(&["b"]), &refused("b", "no"), Millis(0));
        let found =
            json!([{"id": "a", "revs": ["1-x"]}, {"id": "b", "revs": ["2-x"]}, {"id": "c", "revs": ["1-x"]}]);
        all.replace(SetAside::read(&kept(found)));
        let due: Vec<_> = all.due(Millis(0), 9, true).into_iter().map(|row| row.id).collect();
        assert_eq!((all.len(), due), (3, vec!["b".to_owned(), "c".to_owned()]));
    }
}
