//! The suite that every backend passes: what [`Storage`](super::Storage)'s contract promises, case by case.

use super::{Change, Content, Expectation, Key, Notice, Read, Rest, Space, Storage, StorageError, Write};
use bytes::Bytes;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// Opens a connection to the database that a case is about.
pub type Connect = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Box<dyn Storage>, StorageError>>>>>;

type Outcome = Result<(), String>;

macro_rules! check {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) if left == right => {}
            (left, right) => return Err(format!("{}: {left:?} is not {right:?}", stringify!($left))),
        }
    };
}

/// Runs all cases; `new_database` gives, for each, a way to connect to a database that is new and empty.
pub async fn run(new_database: impl Fn(&str) -> Connect) -> Vec<(&'static str, Outcome)> {
    let mut outcomes = Vec::new();
    macro_rules! cases {
        ($($case:ident),* $(,)?) => {
            $(outcomes.push((stringify!($case), $case(new_database(stringify!($case))).await));)*
        };
    }
    cases![
        a_new_database_is_empty,
        what_is_written_is_read,
        every_space_and_kind_of_key_is_apart,
        a_range_is_in_numeric_order_and_limited,
        a_taken_key_undoes_the_whole_write,
        a_failed_expectation_undoes_the_whole_write,
        expectations_that_hold_let_the_write_through,
        what_is_observed_was_there_before_the_changes,
        deletions_delete_what_they_name,
        changes_happen_in_order,
        of_two_writes_at_once_one_wins,
        nobody_writes_between_what_is_found_and_what_is_decided_upon_it,
        where_nothing_is_decided_nothing_is_written,
        another_connection_sees_a_write_at_once,
        records_outlive_their_connections,
        large_records_come_back_whole,
        contents_are_written_with_the_records_beside_them,
        contents_of_any_length_come_back_whole,
        a_closed_connection_refuses,
        a_suspended_connection_is_taken_up_by_a_read,
        notices_reach_the_other_connections,
        a_destroyed_database_is_gone_for_all,
    ];
    outcomes
}

fn text(error: StorageError) -> String {
    error.to_string()
}

fn one(space: Space, key: impl Into<Key>) -> Read {
    Read::One(space, key.into())
}

fn add(position: u64, content: &'static str) -> Change {
    Change::Add(Space::Log, position.into(), content.into())
}

fn changes(changes: impl Into<Vec<Change>>) -> Write {
    Write { changes: changes.into(), ..Write::default() }
}

async fn log(storage: &dyn Storage) -> Result<Vec<Bytes>, String> {
    Ok(storage.read(&[Read::From(Space::Log, 0, 1000)]).await.map_err(text)?.concat())
}

async fn a_new_database_is_empty(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let reads = [one(Space::Meta, "header"), Read::From(Space::Log, 0, 10), one(Space::Block, 1)];
    check!(storage.read(&reads).await, Ok(vec![Vec::<Bytes>::new(), vec![], vec![]]));
    Ok(())
}

async fn what_is_written_is_read(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let put = Change::Put(Space::Meta, "a".into(), "first".into());
    storage.write(changes([put, add(1, "second")])).await.map_err(text)?;
    let reads = [one(Space::Log, 1), one(Space::Meta, "a"), one(Space::Meta, "b")];
    check!(storage.read(&reads).await, Ok(vec![vec![Bytes::from("second")], vec!["first".into()], vec![]]));
    storage.write(changes([Change::Put(Space::Meta, "a".into(), "".into())])).await.map_err(text)?;
    check!(storage.read(&[one(Space::Meta, "a")]).await, Ok(vec![vec![Bytes::new()]]));
    Ok(())
}

async fn every_space_and_kind_of_key_is_apart(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let puts = Space::ALL.iter().flat_map(|space| {
        let content = |kind: &str| Bytes::from(format!("{} {kind}", space.name()));
        [
            Change::Put(*space, 7.into(), content("number")),
            Change::Put(*space, "7".into(), content("text")),
            Change::Put(*space, "\u{ffff}\u{10000}".into(), content("beyond the BMP")),
        ]
    });
    storage.write(changes(puts.collect::<Vec<_>>())).await.map_err(text)?;
    for space in Space::ALL {
        let reads = [one(space, 7), one(space, "7"), one(space, "\u{ffff}\u{10000}")];
        let expected = ["number", "text", "beyond the BMP"];
        let expected = expected.map(|kind| vec![Bytes::from(format!("{} {kind}", space.name()))]);
        check!(storage.read(&reads).await, Ok(expected.to_vec()));
    }
    Ok(())
}

async fn a_range_is_in_numeric_order_and_limited(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let order = [10, 9, 2, 256, 255, 65_536, 9_007_199_254_740_991_u64];
    let adds = order.map(|position| Change::Add(Space::Log, position.into(), position.to_string().into()));
    storage.write(changes(adds)).await.map_err(text)?;
    let all = storage.read(&[Read::From(Space::Log, 9, 100)]).await.map_err(text)?.concat();
    check!(all, ["9", "10", "255", "256", "65536", "9007199254740991"]);
    let some = storage.read(&[Read::From(Space::Log, 10, 2)]).await.map_err(text)?.concat();
    check!(some, ["10", "255"]);
    Ok(())
}

async fn a_taken_key_undoes_the_whole_write(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    storage.write(changes([add(1, "mine")])).await.map_err(text)?;
    let put = Change::Put(Space::Meta, "a".into(), "never".into());
    check!(
        storage.write(changes([put, add(2, "never"), add(1, "yours")])).await,
        Err(StorageError::Conflict)
    );
    check!(log(&*storage).await?, ["mine"]);
    check!(storage.read(&[one(Space::Meta, "a")]).await, Ok(vec![Vec::<Bytes>::new()]));
    Ok(())
}

async fn a_failed_expectation_undoes_the_whole_write(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    storage.write(changes([Change::Put(Space::Meta, "floor".into(), "1".into())])).await.map_err(text)?;
    for content in [None, Some("2".into()), Some("".into())] {
        let expect = vec![Expectation { space: Space::Meta, key: "floor".into(), content }];
        check!(
            storage.write(Write { expect, changes: vec![add(1, "never")], ..Write::default() }).await,
            Err(StorageError::Conflict)
        );
    }
    let expect = vec![Expectation { space: Space::Meta, key: "none".into(), content: Some("".into()) }];
    check!(
        storage.write(Write { expect, changes: vec![add(1, "never")], ..Write::default() }).await,
        Err(StorageError::Conflict)
    );
    let expect = vec![Expectation { space: Space::Meta, key: "floor".into(), content: None }];
    let put = Change::Put(Space::Meta, "a".into(), "never".into());
    check!(
        storage.write(Write { expect, changes: vec![put, add(1, "never")], ..Write::default() }).await,
        Err(StorageError::Conflict)
    );
    check!(log(&*storage).await?, Vec::<Bytes>::new());
    check!(storage.read(&[one(Space::Meta, "a")]).await, Ok(vec![Vec::<Bytes>::new()]));
    Ok(())
}

async fn expectations_that_hold_let_the_write_through(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    storage.write(changes([Change::Put(Space::Meta, "floor".into(), "1".into())])).await.map_err(text)?;
    let expect = vec![
        Expectation { space: Space::Meta, key: "floor".into(), content: Some("1".into()) },
        Expectation { space: Space::Meta, key: "none".into(), content: None },
    ];
    storage
        .write(Write { expect, changes: vec![add(1, "there")], ..Write::default() })
        .await
        .map_err(text)?;
    check!(log(&*storage).await?, ["there"]);
    Ok(())
}

async fn what_is_observed_was_there_before_the_changes(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let observe = || vec![(Space::Meta, "floor".into()), (Space::Log, 1.into())];
    let floor = |content: &'static str| Change::Put(Space::Meta, "floor".into(), content.into());
    let write = Write { observe: observe(), changes: vec![floor("1"), add(1, "there")], ..Write::default() };
    check!(storage.write(write).await, Ok(vec![None, None]));
    let write = Write { observe: observe(), changes: vec![floor("2"), add(2, "too")], ..Write::default() };
    check!(storage.write(write).await, Ok(vec![Some(Bytes::from("1")), Some("there".into())]));
    let write = Write { observe: observe(), changes: vec![floor("3"), add(2, "never")], ..Write::default() };
    check!(storage.write(write).await, Err(StorageError::Conflict));
    check!(storage.read(&[one(Space::Meta, "floor")]).await, Ok(vec![vec![Bytes::from("2")]]));
    Ok(())
}

async fn deletions_delete_what_they_name(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let adds = [add(1, "1"), add(2, "2"), add(3, "3"), add(4, "4"), add(5, "5")];
    storage.write(changes(adds)).await.map_err(text)?;
    storage.write(changes([Change::Put(Space::Log, "text".into(), "stays".into())])).await.map_err(text)?;
    let deletions = [Change::Delete(Space::Log, 4.into()), Change::DeleteRange(Space::Log, 1..3)];
    storage.write(changes(deletions)).await.map_err(text)?;
    let nothing = [Change::DeleteRange(Space::Log, 3..3), Change::Delete(Space::Log, 4.into())];
    storage.write(changes(nothing)).await.map_err(text)?;
    check!(log(&*storage).await?.get(..2).map(<[Bytes]>::to_vec), Some(vec![Bytes::from("3"), "5".into()]));
    check!(storage.read(&[one(Space::Log, "text")]).await, Ok(vec![vec![Bytes::from("stays")]]));
    Ok(())
}

async fn changes_happen_in_order(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let put = |content: &'static str| Change::Put(Space::Meta, "a".into(), content.into());
    let delete = Change::Delete(Space::Meta, "a".into());
    storage.write(changes([put("1"), delete, put("2"), put("3")])).await.map_err(text)?;
    check!(storage.read(&[one(Space::Meta, "a")]).await, Ok(vec![vec![Bytes::from("3")]]));
    Ok(())
}

async fn of_two_writes_at_once_one_wins(connect: Connect) -> Outcome {
    let (left, right) = (connect().await.map_err(text)?, connect().await.map_err(text)?);
    for position in 1..=20 {
        let outcomes = futures_util::join!(
            left.write(changes([add(position, "left")])),
            right.write(changes([add(position, "right")]))
        );
        match outcomes {
            (Ok(_), Err(StorageError::Conflict)) | (Err(StorageError::Conflict), Ok(_)) => {}
            other => return Err(format!("both or none: {other:?}")),
        }
    }
    check!(log(&*left).await?.len(), 20);
    Ok(())
}

async fn nobody_writes_between_what_is_found_and_what_is_decided_upon_it(connect: Connect) -> Outcome {
    let (one, other) = (connect().await.map_err(text)?, connect().await.map_err(text)?);
    let append = async |storage: &dyn Storage| {
        for _ in 0..5 {
            let mut decide = |found: Vec<Vec<Bytes>>| {
                let position = found.concat().len() as u64 + 1;
                Some(vec![add(position, "its"), Change::Put(Space::Meta, "last".into(), "its".into())])
            };
            check!(storage.write_upon(&[Read::From(Space::Log, 1, 1000)], &mut decide).await, Ok(true));
        }
        Ok(())
    };
    let (first, second) = futures_util::join!(append(&*one), append(&*other));
    first.and(second)?;
    check!(log(&*one).await?.len(), 10);
    Ok(())
}

async fn where_nothing_is_decided_nothing_is_written(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    storage.write(changes([add(1, "mine")])).await.map_err(text)?;
    let mut found = Vec::new();
    let mut decide = |answers| {
        found = answers;
        None
    };
    let reads = [one(Space::Meta, "nothing"), one(Space::Log, 1)];
    check!(storage.write_upon(&reads, &mut decide).await, Ok(false));
    check!(found, vec![Vec::<Bytes>::new(), vec!["mine".into()]]);
    check!(log(&*storage).await?, ["mine"]);
    let mut decide = |_| Some(vec![add(2, "never"), add(1, "yours")]);
    check!(storage.write_upon(&reads, &mut decide).await, Err(StorageError::Conflict));
    check!(log(&*storage).await?, ["mine"]);
    storage.close();
    check!(storage.write_upon(&reads, &mut |_| Some(Vec::new())).await, Err(StorageError::Closed));
    Ok(())
}

async fn another_connection_sees_a_write_at_once(connect: Connect) -> Outcome {
    let (left, right) = (connect().await.map_err(text)?, connect().await.map_err(text)?);
    left.write(changes([add(1, "there")])).await.map_err(text)?;
    check!(log(&*right).await?, ["there"]);
    Ok(())
}

async fn records_outlive_their_connections(connect: Connect) -> Outcome {
    let first = connect().await.map_err(text)?;
    first.write(changes([add(1, "there")])).await.map_err(text)?;
    first.close();
    drop(first);
    let second = connect().await.map_err(text)?;
    check!(log(&*second).await?, ["there"]);
    Ok(())
}

async fn large_records_come_back_whole(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let content: Vec<u8> =
        (0..5_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let content = Bytes::from(content);
    storage.write(changes([Change::Add(Space::Log, 1.into(), content.clone())])).await.map_err(text)?;
    if log(&*storage).await? != [content] {
        return Err("5 MB came back as something else".into());
    }
    Ok(())
}

async fn contents_are_written_with_the_records_beside_them(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    let content = |bytes: &'static str| Content::Bytes(bytes.into());
    let put = |name: &str, bytes| Change::PutContent(name.into(), content(bytes));
    storage.write(changes([add(1, "1"), put("a/1+=", "one"), put("b", "")])).await.map_err(text)?;
    let found = async |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut found = Vec::new();
        for content in storage.read_contents(&names).await.map_err(text)? {
            found.push(match content {
                Some(content) => Some(content.to_bytes().await.map_err(text)?),
                None => None,
            });
        }
        Ok::<_, String>(found)
    };
    let names = async || {
        let mut names = storage.content_names().await.map_err(text)?;
        names.sort();
        Ok::<_, String>(names)
    };
    check!(found(&["b", "c", "a/1+="]).await?, [Some(Bytes::new()), None, Some("one".into())]);
    check!(names().await?, ["a/1+=", "b"]);
    let delete = || Change::Delete(Space::Attachment, "b".into());
    check!(
        storage.write(changes([add(1, "never"), delete(), put("c", "three")])).await,
        Err(StorageError::Conflict)
    );
    check!(names().await?, ["a/1+=", "b"]);
    storage.write(changes([delete(), put("a/1+=", "another"), put("c", "three")])).await.map_err(text)?;
    check!(names().await?, ["a/1+=", "c"]);
    check!(found(&["a/1+=", "b", "c"]).await?, [Some("another".into()), None, Some("three".into())]);
    check!(found(&[]).await?, []);
    Ok(())
}

async fn contents_of_any_length_come_back_whole(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    for length in [0, 1, (64 << 10) - 1, 64 << 10, (1 << 20) + 1] {
        let bytes: Vec<u8> =
            (0..length).map(|index: u32| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let bytes = Bytes::from(bytes);
        for content in ways_to_have(&bytes) {
            check!(content.length(), u64::from(length));
            let held = storage.hold(content).await.map_err(text)?;
            storage.write(changes([Change::PutContent("a".into(), held)])).await.map_err(text)?;
            let found = storage.read_contents(&["a".to_owned()]).await.map_err(text)?.pop().flatten();
            let Some(found) = found else { return Err(format!("{length} bytes are not there")) };
            check!(found.length(), u64::from(length));
            let mut pieces = Vec::new();
            found.read_in_pieces(|piece| pieces.extend_from_slice(piece)).await.map_err(text)?;
            if pieces != bytes || found.to_bytes().await.map_err(text)? != bytes {
                return Err(format!("{length} bytes came back as something else"));
            }
        }
    }
    Ok(())
}

#[cfg(not(target_arch = "wasm32"))]
fn ways_to_have(bytes: &Bytes) -> Vec<Content> {
    vec![bytes.clone().into()]
}

#[cfg(target_arch = "wasm32")]
fn ways_to_have(bytes: &Bytes) -> Vec<Content> {
    use super::BrowserContent;
    let array = js_sys::Uint8Array::from(bytes.as_ref());
    let blob = web_sys::Blob::new_with_u8_array_sequence(&js_sys::Array::of1(&array));
    let browser =
        [Ok(array.into()), blob.map(Into::into)].into_iter().flatten().filter_map(BrowserContent::new);
    std::iter::once(bytes.clone().into()).chain(browser.map(Content::Browser)).collect()
}

async fn a_closed_connection_refuses(connect: Connect) -> Outcome {
    let storage = connect().await.map_err(text)?;
    storage.close();
    storage.close();
    check!(storage.read(&[one(Space::Meta, "a")]).await, Err(StorageError::Closed));
    check!(storage.write(changes([add(1, "never")])).await, Err(StorageError::Closed));
    Ok(())
}

async fn a_suspended_connection_is_taken_up_by_a_read(connect: Connect) -> Outcome {
    let (left, right) = (connect().await.map_err(text)?, connect().await.map_err(text)?);
    let heard: Rc<RefCell<Vec<Notice>>> = Rc::default();
    let to_heard = heard.clone();
    left.listen(Box::new(move |notice| to_heard.borrow_mut().push(notice)));
    for round in 0..2 {
        // What is under way is finished.
        let (written, ()) = futures_util::join!(left.write(changes([add(3 * round + 1, "1")])), async {
            left.suspend(Rest::Soon);
            left.suspend(Rest::Still);
        });
        left.resume();
        written.map_err(text)?;
        right.write(changes([add(3 * round + 2, "2")])).await.map_err(text)?;
        check!(log(&*left).await?.len() as u64, 3 * round + 2);
        check!(left.read(&[one(Space::Meta, "a")]).await, Ok(vec![Vec::<Bytes>::new()]));
        left.write(changes([add(3 * round + 3, "3")])).await.map_err(text)?;
        right.announce(committed(round));
        for _ in 0..100 {
            if heard.borrow().len() as u64 > round {
                break;
            }
            crate::env::sleep(crate::env::Millis(20)).await;
        }
        check!(heard.borrow().last().cloned(), Some(committed(round)));
    }
    Ok(())
}

fn committed(position: u64) -> Notice {
    Notice::Committed(position, Bytes::new())
}

async fn notices_reach_the_other_connections(connect: Connect) -> Outcome {
    let (left, right) = (connect().await.map_err(text)?, connect().await.map_err(text)?);
    let heard: Rc<RefCell<Vec<Notice>>> = Rc::default();
    let echo: Rc<RefCell<Vec<Notice>>> = Rc::default();
    let (to_heard, to_echo) = (heard.clone(), echo.clone());
    right.listen(Box::new(move |notice| to_heard.borrow_mut().push(notice)));
    left.listen(Box::new(move |notice| to_echo.borrow_mut().push(notice)));
    left.announce(committed(7));
    left.announce(committed(9_007_199_254_740_991));
    for _ in 0..100 {
        if heard.borrow().len() >= 2 {
            break;
        }
        crate::env::sleep(crate::env::Millis(20)).await;
    }
    check!(*heard.borrow(), [committed(7), committed(9_007_199_254_740_991)]);
    check!(*echo.borrow(), []);
    Ok(())
}

async fn a_destroyed_database_is_gone_for_all(connect: Connect) -> Outcome {
    let (left, right) = (connect().await.map_err(text)?, connect().await.map_err(text)?);
    left.write(changes([add(1, "there")])).await.map_err(text)?;
    let heard: Rc<RefCell<Vec<Notice>>> = Rc::default();
    let to_heard = heard.clone();
    right.listen(Box::new(move |notice| to_heard.borrow_mut().push(notice)));
    left.destroy().await.map_err(text)?;
    for _ in 0..100 {
        if !heard.borrow().is_empty() {
            break;
        }
        crate::env::sleep(crate::env::Millis(20)).await;
    }
    check!(heard.borrow().contains(&Notice::Gone), true);
    check!(right.read(&[one(Space::Log, 1)]).await, Err(StorageError::Closed));
    check!(left.read(&[one(Space::Log, 1)]).await, Err(StorageError::Closed));
    let anew = connect().await.map_err(text)?;
    check!(log(&*anew).await?, Vec::<Bytes>::new());
    Ok(())
}
