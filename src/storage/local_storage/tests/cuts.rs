use super::*;

/// Writes of every shape, each upon those before it.
fn writes() -> Vec<Write> {
    let long = "long".repeat(100);
    vec![
        changes([add(Space::Log, 1, "first")]),
        changes([add(Space::Log, 2, "second"), put(Space::Meta, 1, "floor"), put(Space::Meta, 2, "")]),
        changes([put(Space::Meta, 1, &long), put(Space::Meta, 2, "other")]),
        changes([add(Space::Block, 1, &long), add(Space::Block, 2, &long), put(Space::Meta, 1, "less")]),
        changes([Change::DeleteRange(Space::Log, 1..3), add(Space::Log, 3, "third")]),
        changes([
            Change::DeleteRange(Space::Log, 1..9),
            put(Space::Log, 3, "again"),
            add(Space::Log, 4, "new"),
        ]),
        changes([Change::Delete(Space::Block, 1.into()), put(Space::Block, 2, "short")]),
        changes([
            put(Space::Log, 7, "gone"),
            Change::DeleteRange(Space::Log, 0..9),
            add(Space::Log, 8, "there"),
        ]),
        changes([
            Change::Delete(Space::Meta, 1.into()),
            add(Space::Meta, 1, "anew"),
            put(Space::Attachment, 5, "never"),
            Change::Delete(Space::Attachment, 5.into()),
        ]),
        changes([Change::DeleteRange(Space::Meta, 0..10), Change::DeleteRange(Space::Log, 0..10)]),
    ]
}

#[test]
fn a_write_that_is_cut_anywhere_leaves_all_or_nothing() {
    let mut map = new_database();
    let mut cuts = 0;
    for next in writes() {
        let before = contents(&map).unwrap();
        let whole = map.reopened();
        write(&whole, &next).unwrap();
        let after = contents(&whole).unwrap();
        assert_ne!(before, after);
        let mut was_done = false;
        for index in 0..whole.changes.get() {
            let cut = map.reopened();
            cut.killed_before.set(Some(index));
            let outcome = write(&cut, &next);
            let found = contents(&cut.reopened()).unwrap();
            assert!(found == before || found == after, "cut at {index}: {found:?}");
            assert!(outcome.is_err() || found == after, "acknowledged and not there");
            assert!(found == after || !was_done, "there with less and not with more");
            was_done = found == after;
            cleaning_up_changes_nothing(&cut.reopened());
            cuts += 1;
        }
        map = whole;
    }
    assert!(cuts > 40, "{cuts}");
}

/// Whoever comes next may be cut as well.
fn cleaning_up_changes_nothing(map: &TestMap) {
    let expected = contents(map).unwrap();
    let settled = map.reopened();
    write(&settled, &Write::default()).unwrap();
    for index in 0..settled.changes.get() {
        let cut = map.reopened();
        cut.killed_before.set(Some(index));
        write(&cut, &Write::default()).unwrap_err();
        assert_eq!(contents(&cut.reopened()).unwrap(), expected);
    }
    assert_eq!(contents(&settled).unwrap(), expected);
    nothing_is_left_over(&settled);
}

/// Every key is the root or a record that is read.
fn nothing_is_left_over(map: &TestMap) {
    let names = Names::new("notes");
    let root = Records::new(map, &names).root().unwrap().unwrap();
    assert!(root.is_settled());
    let read: usize = contents(map).unwrap().iter().map(Vec::len).sum();
    // Those under numbers are read twice: alone and with all others.
    assert_eq!((map.texts.borrow().len() - 1) * 2, read);
}

#[test]
fn what_a_killed_tab_has_begun_is_not_taken_for_a_record() {
    let map = new_database();
    map.killed_before.set(Some(2));
    write(&map, &changes([add(Space::Log, 1, "half")])).unwrap_err();
    let next = map.reopened();
    assert!(next.texts.borrow().contains_key("potoroo:notes/log/1"), "the record has been set");
    write(&next, &changes([add(Space::Log, 1, "whole")])).unwrap();
    let names = Names::new("notes");
    let records = Records::new(&next, &names);
    let root = records.root().unwrap().unwrap();
    let found = records.read(&root, &[Read::From(Space::Log, 0, 9)]).unwrap();
    assert_eq!(found, [[Bytes::from("whole")]]);
}

#[test]
fn a_database_whose_destruction_was_cut_is_empty_when_it_is_made_anew() {
    let map = new_database();
    write(&map, &changes([add(Space::Log, 1, "a"), add(Space::Log, 2, "b"), put(Space::Meta, 1, "c")]))
        .unwrap();
    for index in 1..4 {
        let cut = map.reopened();
        cut.killed_before.set(Some(index));
        let names = Names::new("notes");
        Records::new(&cut, &names).destroy().unwrap_err();
        let next = cut.reopened();
        let records = Records::new(&next, &names);
        assert_eq!(records.root(), Ok(None));
        records.create("other".into()).unwrap();
        assert!(contents(&next).unwrap().iter().all(Vec::is_empty));
    }
}
