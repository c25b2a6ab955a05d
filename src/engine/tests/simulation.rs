//! Several tabs on one disk that write, read, flush, merge, fail, die and come back, mixed at random, against a model.
//!
//! Each commit takes the next version and says under it which operation it is. So any state that a reader sees names all
//! the operations that led to it, in order, and must be what the model makes of them.
//!
//! `POTOROO_SEEDS=1000..9000 cargo test --release simulation` runs other seeds than the usual ones.

use super::*;
use crate::engine::Step;
use crate::env::{Millis, block_on};
use crate::storage::faulty::{Fault, Random, repeat_randomness, take_turns};
use crate::storage::{Key, Space};
use futures_util::future::{join_all, select};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const TABS: u64 = 4;
/// Steps of each tab: 160 in a run.
const STEPS: u64 = 40;
const KEYS: u64 = 30;
const KEYSPACES: [Keyspace; 2] = [Keyspace::Document, Keyspace::Body];

/// Writes to keys, where `None` removes; the same key may be there twice.
type Operation = Vec<(Keyspace, u64, Option<Bytes>)>;
type Contents = BTreeMap<(Keyspace, Bytes), Bytes>;

fn key(number: u64) -> Bytes {
    // Keys that are beginnings of one another, and one that is empty.
    let mut key = b"ab".repeat(number as usize / 6);
    key.extend_from_slice(&b"\x00b\xff\xffc"[..number as usize % 6]);
    key.into()
}

/// What everybody did.
#[derive(Default)]
struct Journal {
    operations: RefCell<Vec<Operation>>,
    acknowledged: RefCell<BTreeSet<usize>>,
    checks: RefCell<u64>,
}

fn random_settings(random: &mut Random) -> Settings {
    let mut size = |low: u64, high: u64| (low + random.below(high - low)) as usize;
    Settings {
        flush_bytes: size(100, 2000),
        idle_flush: None,
        retry_after: None,
        indexes_ahead: None,
        lease: Millis(0),
        salvage: false,
        merge_after_read: Millis(0),
        block_bytes: size(20, 400),
        segment_bytes: size(50, 1500),
        hurry: 6,
        fan_in: size(2, 5),
        cache_bytes: size(0, 4000),
    }
}

fn random_operation(random: &mut Random) -> Operation {
    let writes = 1 + random.below(6);
    let write = |_| {
        let keyspace = KEYSPACES[random.below(2) as usize];
        let number = random.below(KEYS);
        let length = if random.below(20) == 0 { 700 } else { random.below(80) };
        let value = vec![random.number() as u8; length as usize];
        (keyspace, number, (random.below(4) > 0).then(|| value.into()))
    };
    (0..writes).map(write).collect()
}

/// Applies an operation under the next version, and gives that.
fn plan(overlay: &mut Overlay, number: usize, operation: &Operation) -> u64 {
    let version = length(overlay) + 1;
    overlay.put(Keyspace::Metadata, "length", version.to_be_bytes());
    overlay.put(Keyspace::Sequence, version.to_be_bytes(), (number as u64).to_be_bytes());
    for (keyspace, number, value) in operation {
        match value {
            Some(value) => overlay.put(*keyspace, key(*number), value),
            None => overlay.delete(*keyspace, key(*number)),
        }
    }
    for (name, is_there) in contents_of(number) {
        if is_there {
            overlay.supply(&name, &Bytes::from(name.clone()).into());
            overlay.put(Keyspace::Content, &name, [1]);
        } else {
            overlay.delete(Keyspace::Content, &name);
        }
    }
    version
}

/// The contents that an operation puts or removes, in order.
fn contents_of(operation: usize) -> Vec<(String, bool)> {
    let mut random = Random::new(operation as u64);
    (0..random.below(4)).map(|_| (format!("content {}", random.below(4)), random.below(2) == 0)).collect()
}

/// The contents that are on the disk.
fn contents_on(disk: &MemoryDisk) -> BTreeSet<String> {
    let name = |(key, content)| match key {
        (Space::Attachment, Key::Text(name)) => {
            assert_eq!(content, name);
            Some(name)
        }
        _ => None,
    };
    disk.records().into_iter().filter_map(name).collect()
}

fn number_of(bytes: &Bytes) -> u64 {
    u64::from_be_bytes(bytes.as_ref().try_into().unwrap())
}

/// Everything that a state says: its operations in order, and what is there by scanning and by getting.
struct Seen {
    operations: Vec<usize>,
    contents: Contents,
    /// A range of some keyspace, read in a direction.
    range: Vec<(Bytes, Bytes)>,
}

struct Question {
    keyspace: Keyspace,
    from: Bytes,
    to: Bytes,
    descending: bool,
}

fn look(snapshot: &Snapshot, question: &Question) -> Seen {
    let all = (Bound::Unbounded, Bound::Unbounded);
    let operations: Vec<_> = snapshot.scan(Keyspace::Sequence, all, false).collect();
    let mut contents = Contents::new();
    for keyspace in KEYSPACES {
        contents.extend(snapshot.scan(keyspace, all, false).map(|(key, value)| ((keyspace, key), value)));
    }
    let Question { keyspace, from, to, descending } = question;
    let range = (Bound::Excluded(from.as_ref()), Bound::Included(to.as_ref()));
    let range = snapshot.scan(*keyspace, range, *descending).collect();
    if snapshot.lacks_blocks() {
        return Seen { operations: Vec::new(), contents, range };
    }
    assert_eq!(length(snapshot), operations.len() as u64, "half a commit is there");
    for (place, (version, _)) in operations.iter().enumerate() {
        assert_eq!(number_of(version), place as u64 + 1, "a version is missing");
    }
    for (keyspace, number) in
        KEYSPACES.into_iter().flat_map(|keyspace| (0..KEYS).map(move |number| (keyspace, number)))
    {
        let key = key(number);
        let found = snapshot.get(keyspace, &key);
        assert!(
            snapshot.lacks_blocks() || found.as_ref() == contents.get(&(keyspace, key)),
            "a get is not what a scan gives"
        );
    }
    Seen {
        operations: operations.iter().map(|(_, number)| number_of(number) as usize).collect(),
        contents,
        range,
    }
}

/// What was seen so far of a state that is read a few entries at a time.
#[derive(Default)]
struct Progress {
    operations: Vec<usize>,
    contents: Contents,
    /// Which keyspace is read, and the last key read of it.
    stage: usize,
    last: Option<Bytes>,
}

/// Reads at most so many entries on.
fn look_on(progress: &mut Progress, snapshot: &Snapshot, most: usize) -> Result<Step> {
    let Some(keyspace) = [Keyspace::Sequence].into_iter().chain(KEYSPACES).nth(progress.stage) else {
        return Ok(Step::Done);
    };
    let last = progress.last.take();
    let from = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut entries = snapshot.scan(keyspace, (from, Bound::Unbounded), false);
    let mut is_over = false;
    let mut read = 0;
    progress.last = last.clone();
    while read < most && !is_over {
        match entries.next() {
            Some((key, value)) => {
                assert!(
                    !snapshot.lacks_blocks(),
                    "an entry comes with a block that is wanted for later ones"
                );
                progress.last = Some(key.clone());
                read += 1;
                if keyspace == Keyspace::Sequence {
                    progress.operations.push(number_of(&value) as usize);
                } else {
                    progress.contents.insert((keyspace, key), value);
                }
            }
            None => is_over = true,
        }
    }
    if is_over && !snapshot.lacks_blocks() {
        progress.stage += 1;
        progress.last = None;
        return Ok(Step::Further);
    }
    Ok(if read > 0 { Step::Further } else { Step::Done })
}

impl Progress {
    fn into_seen(self, question: &Question) -> Seen {
        let Question { keyspace, from, to, descending } = question;
        let is_in = |key: &Bytes| key > from && key <= to;
        let range = self.contents.iter().filter(|((other, key), _)| other == keyspace && is_in(key));
        let mut range: Vec<_> = range.map(|((_, key), value)| (key.clone(), value.clone())).collect();
        if *descending {
            range.reverse();
        }
        Seen { operations: self.operations, contents: self.contents, range }
    }
}

impl Journal {
    /// Compares a state with what its operations make.
    fn check(&self, seen: &Seen, question: &Question) {
        let mut expected = Contents::new();
        let all = self.operations.borrow();
        for (keyspace, number, value) in seen.operations.iter().flat_map(|number| &all[*number]) {
            match value {
                Some(value) => expected.insert((*keyspace, key(*number)), value.clone()),
                None => expected.remove(&(*keyspace, key(*number))),
            };
        }
        assert_eq!(seen.contents, expected);
        let Question { keyspace, from, to, descending } = question;
        let is_in = |key: &Bytes| key > from && key <= to;
        let mut range: Vec<_> = expected
            .into_iter()
            .filter(|((other, key), _)| other == keyspace && is_in(key))
            .map(|((_, key), value)| (key, value))
            .collect();
        if *descending {
            range.reverse();
        }
        assert_eq!(seen.range, range);
        *self.checks.borrow_mut() += 1;
    }
}

/// A tab's life; where it is killed, another one takes its place.
async fn life(disk: &Rc<MemoryDisk>, mut random: Random, journal: &Journal, with_faults: bool) {
    let mut steps = 0;
    while steps < STEPS {
        let faults: Rc<Faults> = Rc::default();
        faults.take_turns(random.split());
        if random.below(3) == 0 {
            faults.lose_notices();
        }
        let settings = random_settings(&mut random);
        let opened = Tab::open_with_settings(disk, faults.clone(), settings).await;
        let tab = opened.expect("a database without faults cannot be opened");
        if with_faults && random.below(2) == 0 {
            let fault = if random.below(2) == 0 { Fault::DieBefore } else { Fault::DieAfter };
            faults.arm(faults.operations() + random.below(60) as u32, fault);
        }
        let is_armed_to_die = with_faults && faults.is_armed();
        let steps = &mut steps;
        let random = &mut random;
        let life = Box::pin(async {
            while *steps < STEPS {
                *steps += 1;
                if with_faults && !is_armed_to_die && random.below(10) == 0 {
                    let kinds = [Fault::Refuse, Fault::Disconnect, Fault::LoseAnswer, Fault::LoseRequest];
                    faults.arm(faults.operations() + random.below(4) as u32, kinds[random.below(4) as usize]);
                }
                if !step(&tab, random, journal, with_faults).await {
                    break;
                }
            }
        });
        select(life, Box::pin(faults.death())).await;
    }
}

/// Does one step; tells whether the tab is still open.
async fn step(tab: &Tab, random: &mut Random, journal: &Journal, with_faults: bool) -> bool {
    let is_excused = |error: &Error| assert!(with_faults && error.kind() == ErrorKind::Storage, "{error}");
    match random.below(12) {
        0 => {
            tab.engine.close().await;
            return false;
        }
        1 => {
            if let Err(error) = tab.engine.refresh().await {
                is_excused(&error);
            }
        }
        2 | 3 => {
            let (from, to) = (key(random.below(KEYS)), key(random.below(KEYS)));
            let keyspace = KEYSPACES[random.below(2) as usize];
            let question = Question { keyspace, from, to, descending: random.below(2) == 0 };
            let seen = if random.below(2) == 0 {
                tab.engine.read(|snapshot| Ok(look(snapshot, &question))).await
            } else {
                let most = random.below(12) as usize + 1;
                let step = |progress: &mut Progress, snapshot: &Snapshot| look_on(progress, snapshot, most);
                let progress = tab.engine.read_in_steps(Progress::default, step).await;
                progress.map(|progress| progress.into_seen(&question))
            };
            match seen {
                Ok(seen) => journal.check(&seen, &question),
                Err(error) => is_excused(&error),
            }
        }
        4 if random.below(4) == 0 => {
            // Others go on meanwhile.
            let mut problems = Vec::new();
            match tab.engine.check_records(&mut problems).await {
                Ok(_) => assert_eq!(problems, []),
                Err(error) => is_excused(&error),
            }
        }
        4 => take_turns(random.below(60)).await,
        _ => {
            let number = journal.operations.borrow().len();
            let operation = random_operation(random);
            journal.operations.borrow_mut().push(operation.clone());
            match tab.engine.commit(move |overlay| Ok(plan(overlay, number, &operation))).await {
                Ok(_) => {
                    journal.acknowledged.borrow_mut().insert(number);
                }
                Err(error) => is_excused(&error),
            }
        }
    }
    true
}

fn run(seed: u64) {
    block_on(async {
        repeat_randomness(seed);
        let mut random = Random::new(seed);
        let disk: Rc<MemoryDisk> = Rc::default();
        let journal = Journal::default();
        let with_faults = random.below(4) > 0;
        join_all((0..TABS).map(|_| life(&disk, random.split(), &journal, with_faults))).await;
        // Whoever is killed leaves its last step undone or done, but nothing half.
        let last = found_on(&disk).await;
        let question =
            Question { keyspace: Keyspace::Body, from: key(0), to: key(KEYS - 1), descending: false };
        let seen = last.engine.read(|snapshot| Ok(look(snapshot, &question))).await.unwrap();
        journal.check(&seen, &question);
        let found: BTreeSet<usize> = seen.operations.iter().copied().collect();
        assert_eq!(found.len(), seen.operations.len(), "an operation was applied twice");
        let lost: Vec<_> = journal.acknowledged.borrow().difference(&found).copied().collect();
        assert_eq!(lost, Vec::<usize>::new(), "acknowledged and lost");
        let mut contents = BTreeSet::new();
        for (name, is_there) in seen.operations.iter().flat_map(|number| contents_of(*number)) {
            if is_there {
                contents.insert(name)
            } else {
                contents.remove(&name)
            };
        }
        assert_eq!(contents_on(&disk), contents);
        let mut problems = Vec::new();
        last.engine.check_records(&mut problems).await.unwrap();
        assert_eq!(problems, []);
    });
}

fn seeds() -> Range<u64> {
    let wanted = std::env::var("POTOROO_SEEDS").ok();
    let range = wanted.as_deref().and_then(|wanted| wanted.split_once(".."));
    let number = |text: &str| text.parse().expect("POTOROO_SEEDS is like 0..1000");
    range.map_or(0..650, |(start, end)| number(start)..number(end))
}

#[test]
fn simulated_tabs_see_what_the_model_says() {
    for seed in seeds() {
        println!("seed {seed}");
        run(seed);
    }
}
