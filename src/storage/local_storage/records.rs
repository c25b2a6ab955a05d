//! Reads and writes of several records, over a map that can only change one text at a time.
//!
//! A write that is cut anywhere leaves all or nothing, because one call decides:
//!
//! 1. The root gets the names of the records that are to be added, as something to undo.
//! 2. They are set, each in its place. They may be large; the others must not see them yet.
//! 3. The root gets the next number and, as something to do, what the write replaces and removes. **This is the write.**
//! 4. That is done, and the root forgets it.
//!
//! Readers change nothing: they look past what is to be undone and see what is to be done as if it were. Whoever writes
//! next cleans up first.

use super::encoding;
use super::map::StringMap;
use super::names::{self, Names};
use super::root::{Root, Step};
use crate::storage::{Change, Key, Read, Space, StorageError, StorageResult, Write};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// The name of what keeps room for a write until it has been done.
const ROOM: &str = "room";

/// One database's records in a map.
pub(super) struct Records<'a> {
    map: &'a dyn StringMap,
    names: &'a Names,
}

/// What a write comes to.
#[derive(Default)]
struct Plan {
    /// Records where there are none, by name.
    add: BTreeMap<String, String>,
    /// What is done to those that there are: ranges, then the others.
    ranges: Vec<Step>,
    others: BTreeMap<String, Step>,
}

impl<'a> Records<'a> {
    pub(super) fn new(map: &'a dyn StringMap, names: &'a Names) -> Self {
        Self { map, names }
    }

    /// The root; `None` where there is no database.
    pub(super) fn root(&self) -> StorageResult<Option<Root>> {
        self.map.get(&self.names.root())?.map(|text| Root::decode(&text)).transpose()
    }

    /// Makes a new, empty database, where there is no root.
    pub(super) fn create(&self, instance: String) -> StorageResult<Root> {
        // What was destroyed by a tab that was killed meanwhile.
        self.remove_all_but_the_root()?;
        let root = Root::new(instance);
        self.set_root(&root)?;
        Ok(root)
    }

    /// Removes the database. It is gone with the root; what remains, where this is cut, the next one removes.
    pub(super) fn destroy(&self) -> StorageResult<()> {
        self.map.remove(&self.names.root())?;
        self.remove_all_but_the_root()
    }

    fn remove_all_but_the_root(&self) -> StorageResult<()> {
        for key in self.map.keys(self.names.prefix())? {
            if key != self.names.root() && key != self.names.turn() {
                self.map.remove(&key)?;
            }
        }
        Ok(())
    }

    fn set_root(&self, root: &Root) -> StorageResult<()> {
        self.map.set(&self.names.root(), &root.encode())
    }

    /// Answers the requests of a read, from the state of `root`.
    pub(super) fn read(&self, root: &Root, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        let answer = |read: &Read| match read {
            Read::One(space, key) => Ok(self.content(root, *space, key)?.into_iter().collect()),
            Read::From(space, first, limit) => {
                let numbers = self.numbers(&root.redo, *space, *first)?;
                let contents = numbers
                    .into_iter()
                    .take(*limit as usize)
                    .map(|number| self.content(root, *space, &number.into()));
                contents.filter_map(Result::transpose).collect()
            }
        };
        reads.iter().map(answer).collect()
    }

    /// The numbers from the first one on that may have records.
    fn numbers(&self, redo: &[Step], space: Space, first: u64) -> StorageResult<BTreeSet<u64>> {
        let keys = self.map.keys(self.names.prefix())?;
        let names = keys.iter().filter_map(|key| key.strip_prefix(self.names.prefix()));
        let numbers = names.chain(put_names(redo)).filter_map(|name| names::number(space, name));
        Ok(numbers.filter(|number| *number >= first).collect())
    }

    /// The texts under which a space has records.
    pub(super) fn texts(&self, root: &Root, space: Space) -> StorageResult<Vec<String>> {
        let keys = self.map.keys(self.names.prefix())?;
        let names = keys.iter().filter_map(|key| key.strip_prefix(self.names.prefix()));
        let texts: BTreeSet<_> =
            names.chain(put_names(&root.redo)).filter_map(|name| names::text(space, name)).collect();
        let mut found = Vec::new();
        for text in texts {
            let key = Key::Text(text.to_owned());
            if self.text(root, space, &key, &names::record(space, &key))?.is_some() {
                found.push(text.to_owned());
            }
        }
        Ok(found)
    }

    fn content(&self, root: &Root, space: Space, key: &Key) -> StorageResult<Option<Bytes>> {
        let name = names::record(space, key);
        let Some(text) = self.text(root, space, key, &name)? else { return Ok(None) };
        let damaged = StorageError::Damaged { record: name, problem: "its text is no bytes" };
        encoding::decode(&text).map(|bytes| Some(bytes.into())).ok_or(damaged)
    }

    fn text(&self, root: &Root, space: Space, key: &Key, name: &str) -> StorageResult<Option<String>> {
        for step in root.redo.iter().rev() {
            match step {
                Step::Put(other, text) if other == name => return Ok(Some(text.clone())),
                Step::Remove(other) if other == name => return Ok(None),
                Step::Range(..) if is_in_range(step, space, key) => return Ok(None),
                _ => {}
            }
        }
        if root.undo.iter().any(|other| other == name) {
            return Ok(None);
        }
        self.map.get(&self.names.full(name))
    }

    /// Cleans up after a write that was cut, or that had no room to clean up.
    pub(super) fn settle(&self, root: &mut Root) -> StorageResult<()> {
        if root.is_settled() {
            return Ok(());
        }
        for name in &root.undo {
            self.map.remove(&self.names.full(name))?;
        }
        self.map.remove(&self.names.full(ROOM))?;
        for step in &root.redo {
            self.perform(step)?;
        }
        let settled = Root { undo: Vec::new(), redo: Vec::new(), ..root.clone() };
        self.set_root(&settled)?;
        *root = settled;
        Ok(())
    }

    fn perform(&self, step: &Step) -> StorageResult<()> {
        match step {
            Step::Remove(name) => self.map.remove(&self.names.full(name)),
            Step::Put(name, text) => self.map.set(&self.names.full(name), text),
            Step::Range(space, start, end) => {
                let Some(space) = Space::ALL.into_iter().find(|known| known.name() == space) else {
                    return Ok(());
                };
                for number in self.numbers(&[], space, *start)? {
                    if number < *end {
                        self.map.remove(&self.names.full(&names::record(space, &number.into())))?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Does a write, or nothing of it; gives what was observed. `root` must be settled, and is what it is afterwards.
    pub(super) fn write(&self, root: &mut Root, write: &Write) -> StorageResult<Vec<Option<Bytes>>> {
        for expectation in &write.expect {
            if self.content(root, expectation.space, &expectation.key)? != expectation.content {
                return Err(StorageError::Conflict);
            }
        }
        let plan = self.plan(root, &write.changes)?;
        let observed = write.observe.iter().map(|(space, key)| self.content(root, *space, key));
        let observed = observed.collect::<StorageResult<_>>()?;
        let Plan { add, ranges, others } = plan;
        let redo: Vec<Step> = ranges.into_iter().chain(others.into_values()).collect();
        if add.is_empty() && redo.is_empty() {
            return Ok(observed);
        }
        let growth = self.growth(&redo)?;
        let room = (growth > 0).then(|| ROOM.to_owned());
        let begun = Root { undo: add.keys().cloned().chain(room).collect(), ..root.clone() };
        let done = Root { number: root.number + 1, redo, ..root.clone() };
        if let Err(error) = self.carry_out(&begun, &add, growth, &done) {
            // Where this fails too, the root still says what is to be undone.
            let mut left = begun;
            if self.settle(&mut left).is_ok() {
                *root = left;
            }
            return Err(error);
        }
        *root = done;
        // The write is done. What has no room in its place is read from the root until there is some.
        let _ = self.settle(root);
        Ok(observed)
    }

    fn carry_out(
        &self,
        begun: &Root,
        add: &BTreeMap<String, String>,
        growth: usize,
        done: &Root,
    ) -> StorageResult<()> {
        if !begun.is_settled() {
            self.set_root(begun)?;
        }
        for (name, text) in add {
            self.map.set(&self.names.full(name), text)?;
        }
        if growth > 0 {
            self.map.set(&self.names.full(ROOM), &" ".repeat(growth))?;
        }
        self.set_root(done)
    }

    /// How many units more the records take that are put in place of others: room that must be there when the write is
    /// done, because it can't fail any more then.
    fn growth(&self, redo: &[Step]) -> StorageResult<usize> {
        let mut growth = 0;
        for step in redo {
            if let Step::Put(name, text) = step {
                let key = self.names.full(name);
                let before = self.map.get(&key)?.map_or(0, |text| units(&key) + units(&text));
                growth += (units(&key) + units(text)).saturating_sub(before);
            }
        }
        Ok(growth)
    }

    fn plan(&self, root: &Root, changes: &[Change]) -> StorageResult<Plan> {
        let mut plan = Plan::default();
        for change in changes {
            match change {
                Change::Add(space, key, content) => {
                    if self.is_there(root, &plan, *space, key)? {
                        return Err(StorageError::Conflict);
                    }
                    self.put(root, &mut plan, *space, key, content)?;
                }
                Change::Put(space, key, content) => self.put(root, &mut plan, *space, key, content)?,
                Change::PutContent(name, content) => {
                    let bytes = content.bytes().expect("BUG: a content that was not brought into memory");
                    self.put(root, &mut plan, Space::Attachment, &name.as_str().into(), bytes)?;
                }
                Change::Delete(space, key) => {
                    let name = names::record(*space, key);
                    plan.add.remove(&name);
                    plan.others.remove(&name);
                    if self.text(root, *space, key, &name)?.is_some() {
                        plan.others.insert(name.clone(), Step::Remove(name));
                    }
                }
                Change::DeleteRange(space, numbers) if !numbers.is_empty() => {
                    let step = Step::Range(space.name().to_owned(), numbers.start, numbers.end);
                    let is_left = |name: &String| {
                        names::number(*space, name).is_none_or(|number| !numbers.contains(&number))
                    };
                    plan.add.retain(|name, _| is_left(name));
                    plan.others.retain(|name, _| is_left(name));
                    plan.ranges.push(step);
                }
                Change::DeleteRange(..) => {}
            }
        }
        Ok(plan)
    }

    /// Whether there is a record after what is planned so far.
    fn is_there(&self, root: &Root, plan: &Plan, space: Space, key: &Key) -> StorageResult<bool> {
        let name = names::record(space, key);
        Ok(match plan.others.get(&name) {
            Some(step) => matches!(step, Step::Put(..)),
            None if plan.add.contains_key(&name) => true,
            None if plan.is_in_range(space, key) => false,
            None => self.text(root, space, key, &name)?.is_some(),
        })
    }

    fn put(
        &self,
        root: &Root,
        plan: &mut Plan,
        space: Space,
        key: &Key,
        content: &Bytes,
    ) -> StorageResult<()> {
        let name = names::record(space, key);
        let text = encoding::encode(content);
        // A record in a range that is removed goes with the range, which is performed after the additions.
        let is_free = !plan.is_in_range(space, key) && self.text(root, space, key, &name)?.is_none();
        if is_free {
            plan.add.insert(name, text);
        } else {
            plan.others.insert(name.clone(), Step::Put(name, text));
        }
        Ok(())
    }
}

impl Plan {
    fn is_in_range(&self, space: Space, key: &Key) -> bool {
        self.ranges.iter().any(|step| is_in_range(step, space, key))
    }
}

fn is_in_range(step: &Step, space: Space, key: &Key) -> bool {
    matches!(key, Key::Number(number) if step.is_range_over(space, *number))
}

fn put_names(redo: &[Step]) -> impl Iterator<Item = &str> {
    redo.iter().filter_map(|step| match step {
        Step::Put(name, _) => Some(name.as_str()),
        _ => None,
    })
}

/// The length of a text as browsers count it.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
