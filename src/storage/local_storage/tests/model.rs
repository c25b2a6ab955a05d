use super::*;
use crate::storage::faulty::Random;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use crate::storage::{Expectation, Key, Storage as _};
use std::rc::Rc;

fn random_key(random: &mut Random) -> (Space, Key) {
    let space = Space::ALL[random.below(2) as usize];
    let key = if random.below(4) == 0 { "a".into() } else { Key::Number(random.below(6)) };
    (space, key)
}

fn random_content(random: &mut Random) -> Bytes {
    let length = [0, 1, 9, 300][random.below(4) as usize];
    (0..length).map(|_| random.number() as u8).collect()
}

fn random_write(random: &mut Random) -> Write {
    let mut write = Write::default();
    for _ in 0..1 + random.below(4) {
        let (space, key) = random_key(random);
        write.changes.push(match random.below(6) {
            0 => Change::Delete(space, key),
            1 => {
                let first = random.below(5);
                Change::DeleteRange(space, first..first + random.below(4))
            }
            2 => Change::Add(space, key, random_content(random)),
            _ => Change::Put(space, key, random_content(random)),
        });
    }
    if random.below(3) == 0 {
        write.observe.push(random_key(random));
    }
    if random.below(5) == 0 {
        let (space, key) = random_key(random);
        let content = (random.below(2) == 0).then(|| random_content(random));
        write.expect.push(Expectation { space, key, content });
    }
    write
}

/// Memory looks at all additions first; so the additions of these writes come first.
#[test]
fn random_writes_with_random_cuts_do_what_memory_does() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut map = new_database();
        let disk = Rc::new(MemoryDisk::default());
        let memory = MemoryStorage::on(disk.clone());
        let mut conflicts = 0;
        for _ in 0..60 {
            let mut next = random_write(&mut random);
            let mut keys = Vec::new();
            next.changes.sort_by_key(|change| !matches!(change, Change::Add(..)));
            next.changes.retain(|change| match change {
                Change::Add(space, key, _) => {
                    let is_new = !keys.contains(&(*space, key.clone()));
                    keys.push((*space, key.clone()));
                    is_new
                }
                _ => true,
            });
            let copy = Rc::new(MemoryDisk::default());
            for ((space, key), content) in disk.records() {
                copy.tamper(space, key, Some(content));
            }
            map.killed_before.set((random.below(3) == 0).then(|| map.changes.get() + random.below(8) as u32));
            let outcome = write(&map, &next);
            map = map.reopened();
            let expected = crate::env::block_on(memory.write(next));
            conflicts += u32::from(expected.is_err());
            match &outcome {
                Err(crate::storage::StorageError::Platform { name, .. }) if name == "Killed" => {
                    if contents(&map).unwrap() != contents_of(&disk) {
                        assert_eq!(contents(&map).unwrap(), contents_of(&copy), "seed {seed}");
                        for ((space, key), _) in disk.records() {
                            disk.tamper(space, key, None);
                        }
                        for ((space, key), content) in copy.records() {
                            disk.tamper(space, key, Some(content));
                        }
                    }
                }
                _ => assert_eq!(outcome, expected, "seed {seed}"),
            }
            assert_eq!(contents(&map).unwrap(), contents_of(&disk), "seed {seed}");
        }
        assert!(conflicts > 0, "seed {seed}");
    }
}

fn contents_of(disk: &Rc<MemoryDisk>) -> Vec<Vec<Bytes>> {
    let reads = Space::ALL.into_iter().flat_map(|space| {
        let numbers = (0..12).map(move |number| Read::One(space, number.into()));
        let texts = ["a", "b", "7"].map(|text| Read::One(space, text.into()));
        numbers.chain(texts).chain([Read::From(space, 0, 1000)])
    });
    let reads: Vec<_> = reads.collect();
    crate::env::block_on(MemoryStorage::on(disk.clone()).read(&reads)).unwrap()
}
