use super::*;
use crate::storage::StorageError;

fn is_quota(error: &StorageError) -> bool {
    matches!(error, StorageError::Platform { name, .. } if name == "QuotaExceededError")
}

#[test]
fn a_write_without_room_leaves_nothing_wherever_the_room_ends() {
    let long = "long".repeat(1000);
    let first = changes([put(Space::Meta, 1, "floor"), add(Space::Log, 1, "first")]);
    let second = changes([
        add(Space::Log, 2, &long),
        add(Space::Log, 3, &long),
        put(Space::Meta, 1, &long),
        Change::Delete(Space::Log, 1.into()),
    ]);
    let start = new_database();
    write(&start, &first).unwrap();
    let start = start.reopened();
    let whole = start.reopened();
    write(&whole, &second).unwrap();
    let (before, after) = (contents(&start).unwrap(), contents(&whole).unwrap());
    let mut refusals = 0;
    for index in 0..whole.changes.get() {
        let map = start.reopened();
        map.refused.set(Some(index));
        match write(&map, &second) {
            Ok(_) => assert_eq!(contents(&map).unwrap(), after),
            Err(error) => {
                assert!(is_quota(&error));
                assert_eq!(contents(&map).unwrap(), before);
                assert_eq!(*map.texts.borrow(), *start.texts.borrow(), "all the room is given back");
                write(&map, &second).unwrap();
                refusals += 1;
            }
        }
    }
    // Both records, the room for the one that grows, and the root.
    assert_eq!(refusals, 4);
}

#[test]
fn records_can_be_deleted_where_everything_is_full() {
    let map = new_database();
    map.limit.set(Some(20_000));
    let mut number = 0;
    while write(&map, &changes([add(Space::Log, number, &"content".repeat(30))])).is_ok() {
        number += 1;
    }
    map.limit.set(Some(map.units()));
    let last = number - 1;
    assert!(number > 10, "{number}");
    assert!(is_quota(&write(&map, &changes([add(Space::Log, number, "")])).unwrap_err()));
    write(&map, &changes([Change::Delete(Space::Log, last.into()), Change::DeleteRange(Space::Log, 0..5)]))
        .unwrap();
    write(&map, &changes([add(Space::Log, number, "content")])).unwrap();
    let names = Names::new("notes");
    let records = Records::new(&map, &names);
    let root = records.root().unwrap().unwrap();
    let left = records.read(&root, &[Read::From(Space::Log, 0, 1000)]).unwrap().concat();
    assert_eq!(left.len() as u64, number - 5);
}

/// The write is done, but another page takes the room that was kept for it.
#[test]
fn what_has_no_room_in_its_place_is_read_nevertheless() {
    let map = new_database();
    write(&map, &changes([put(Space::Meta, 1, "before"), put(Space::Log, 2, "gone")])).unwrap();
    let long = "long".repeat(200);
    let larger = changes([put(Space::Meta, 1, &long), Change::DeleteRange(Space::Log, 0..9)]);
    let whole = map.reopened();
    write(&whole, &larger).unwrap();
    let after = contents(&whole).unwrap();
    let refused = |map: &TestMap, index| map.refused.set(Some(map.changes.get() + index));
    // Root, room, root; then room and the record that is deleted go, and the larger one is refused.
    refused(&map, 5);
    write(&map, &larger).unwrap();
    let names = Names::new("notes");
    assert!(!Records::new(&map, &names).root().unwrap().unwrap().is_settled());
    assert_eq!(contents(&map).unwrap(), after);
    write(&map, &changes([put(Space::Meta, 2, "more")])).unwrap();
    assert!(Records::new(&map, &names).root().unwrap().unwrap().is_settled());
}
