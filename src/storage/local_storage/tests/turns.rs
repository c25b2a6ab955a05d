use super::*;
use crate::env::{self, Millis};
use crate::storage::local_storage::map::StringMap;
use crate::storage::local_storage::turn;
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn turns_by_a_key_exclude_each_other() {
    let map: Rc<dyn StringMap> = Rc::new(new_database());
    let inside = Cell::new(0);
    let turns = Cell::new(0);
    let contender = || async {
        for _ in 0..3 {
            let turn = turn::take(&map, &Names::new("notes")).await.unwrap();
            assert_eq!(inside.replace(1), 0, "two at once");
            env::sleep(Millis(10)).await;
            inside.set(0);
            turns.set(turns.get() + 1);
            drop(turn);
        }
    };
    env::block_on(async { futures_util::join!(contender(), contender(), contender()) });
    assert_eq!(turns.get(), 9);
}

#[test]
fn a_dead_page_does_not_keep_its_turn() {
    let map: Rc<dyn StringMap> = Rc::new(new_database());
    map.set(&Names::new("notes").turn(), &env::uuid()).unwrap();
    env::block_on(async { turn::take(&map, &Names::new("notes")).await.map(drop) }).unwrap();
}

#[test]
fn a_turn_that_is_not_waited_for_any_more_is_free() {
    let map: Rc<dyn StringMap> = Rc::new(new_database());
    let names = Names::new("notes");
    env::block_on(async {
        let waiting = std::pin::pin!(turn::take(&map, &names));
        let timeout = std::pin::pin!(env::sleep(Millis(20)));
        drop(futures_util::future::select(waiting, timeout).await);
    });
    let key = names.turn();
    assert!(map.get(&key).unwrap().is_some_and(|text| text.starts_with('-')));
}

/// A page in which locks answer asks for no turn by a key.
#[test]
fn a_write_in_between_makes_the_turn_wait_once_more() {
    let map = Rc::new(new_database());
    let shared: Rc<dyn StringMap> = map.clone();
    let names = Names::new("notes");
    let written = Cell::new(false);
    env::block_on(async {
        let writing = async {
            env::sleep(Millis(50)).await;
            write(&map, &changes([add(Space::Log, 1, "other")])).unwrap();
            written.set(true);
        };
        let taking = async {
            let before = shared.get(&names.root()).unwrap();
            let turn = turn::take(&shared, &names).await.unwrap();
            assert!(written.get() && shared.get(&names.root()).unwrap() != before);
            drop(turn);
        };
        futures_util::join!(writing, taking);
    });
}
