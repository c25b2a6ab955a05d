//! The machine alone against a world of tables, with answers in any order and errors anywhere.

use super::world::{World, settle, world};
use crate::env::Millis;
use crate::error::Error;
use crate::replicate::effect::{Event, Request, Token};
use crate::replicate::options::Limits;
use crate::replicate::{LocalDoc, Machine, ReplicationEvent, Status};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// One of the requests is answered.
    Answer(prop::sample::Index),
    /// One of them fails without having done anything.
    Fail(prop::sample::Index, u16),
    /// One of them does what it should and its answer is lost.
    Lose(prop::sample::Index),
    /// A document changes in the source.
    Edit(u8),
    Wake,
    /// Time passes.
    Wait(u16),
    /// A document is refused from now on, in one of three ways.
    Refuse(u8, u8),
    /// Nothing is any longer.
    Heal,
    /// The page dies, and another one replicates from what is left.
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => any::<prop::sample::Index>().prop_map(Step::Answer),
        1 => (any::<prop::sample::Index>(), prop::sample::select(vec![0, 408, 429, 500, 503]))
            .prop_map(|(index, status)| Step::Fail(index, status)),
        1 => any::<prop::sample::Index>().prop_map(Step::Lose),
        2 => (0_u8..40).prop_map(Step::Edit),
        1 => Just(Step::Wake),
        1 => (0_u16..20_000).prop_map(Step::Wait),
    ]
}

/// With documents that are refused for a while, and deaths.
fn step_with_refusals() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => step(),
        2 => (0_u8..40, 0_u8..3).prop_map(|(id, way)| Step::Refuse(id, way)),
        1 => Just(Step::Heal),
        1 => Just(Step::Die),
    ]
}

fn error(status: u16) -> Error {
    match status {
        0 => Error::network("Failed to fetch"),
        status => Error::remote(status, "trouble", "later"),
    }
}

/// Runs the steps, then answers everything in order until nothing happens any more.
fn simulate(world: &mut World, options: &str, steps: &[Step]) {
    let mut machine = take_steps(world, options, steps);
    settle(&mut machine, world);
}

fn take_steps(world: &mut World, options: &str, steps: &[Step]) -> Machine {
    let mut machine = world.start(options);
    for step in steps {
        if world.finished {
            break;
        }
        let ready: Vec<_> =
            (0..world.waiting.len()).filter(|index| world.is_ready(&world.waiting[*index].1)).collect();
        let event = match step {
            Step::Answer(index) | Step::Fail(index, _) | Step::Lose(index) => {
                if ready.is_empty() {
                    continue;
                }
                let (token, request) = world.waiting.remove(*index.get(&ready));
                let has_an_error =
                    !matches!(request, Request::Sleep(_) | Request::BackOff(_) | Request::Filter(_));
                let answer = match step {
                    // A source that fails twice with one document and gives others can't give it: that is what `poisoned` is for.
                    Step::Fail(_, 500) if matches!(request, Request::OpenRevs(_)) => Err(error(503)),
                    Step::Fail(_, status) if has_an_error => Err(error(*status)),
                    Step::Lose(_) if has_an_error => world.answer(request).and(Err(error(0))),
                    _ => world.answer(request),
                };
                Event::Answered(token, answer)
            }
            Step::Edit(id) => {
                world.edit(&format!("doc{id}"));
                continue;
            }
            Step::Wake => Event::Wake,
            Step::Wait(span) => {
                world.now += u64::from(*span);
                continue;
            }
            Step::Refuse(id, way) => {
                let ways = [&mut world.poisoned, &mut world.unacceptable, &mut world.forbidden];
                let [poisoned, unacceptable, forbidden] = ways;
                let way = match way {
                    0 => poisoned,
                    1 => unacceptable,
                    _ => forbidden,
                };
                way.insert(format!("doc{id}"));
                continue;
            }
            Step::Heal => {
                world.heal();
                continue;
            }
            Step::Die => {
                check_events(&world.events);
                world.waiting.clear();
                world.events.clear();
                machine = world.start(options);
                continue;
            }
        };
        let effects = machine.handle(event, Millis(world.now));
        world.do_effects(effects);
    }
    machine
}

/// The number of documents that are set aside, as was told last.
fn set_aside(world: &World) -> Option<u64> {
    world.events.iter().rev().find_map(|event| match event {
        ReplicationEvent::Status(status) => Some(status.set_aside),
        _ => None,
    })
}

/// Active and paused take turns, and nothing follows the end.
fn check_events(events: &[ReplicationEvent]) {
    let mut active = false;
    for (index, event) in events.iter().enumerate() {
        match event {
            ReplicationEvent::Active => assert!(!std::mem::replace(&mut active, true), "active twice"),
            ReplicationEvent::Paused(_) => active = false,
            ReplicationEvent::Change { .. } => assert!(active, "a change while paused"),
            ReplicationEvent::Complete(_) | ReplicationEvent::Error(_) => assert_eq!(index + 1, events.len()),
            _ => {}
        }
    }
}

/// As usual, or with documents that are large in comparison.
fn limits() -> impl Strategy<Value = Limits> {
    let usual = Limits::default();
    let small = (1_usize..200, 1_usize..6).prop_map(move |(bytes_held, revs_in_fetch)| Limits {
        bytes_held,
        revs_in_fetch,
        bytes_in_write: bytes_held,
        ..usual
    });
    prop_oneof![Just(usual), small]
}

/// How many documents were told of.
fn told(events: &[ReplicationEvent]) -> u64 {
    let docs = |event: &ReplicationEvent| {
        if let ReplicationEvent::Change { docs, .. } = event { docs.len() } else { 0 }
    };
    events.iter().map(docs).sum::<usize>() as u64
}

#[test]
fn large_documents_are_written_before_all_of_their_batch_is_here() {
    let mut world = world(100);
    world.limits = Limits { bytes_held: 200, revs_in_fetch: 2, bytes_in_write: 100, ..Limits::default() };
    simulate(&mut world, "{}", &[]);
    assert!(world.has_everything() && world.finished);
    let Some(ReplicationEvent::Complete(report)) = world.events.last() else {
        panic!("{:?}", world.events.last())
    };
    assert_eq!((report.docs_read, report.docs_written, told(&world.events)), (100, 100, 100));
    // What is held is below 200 bytes before five requests bring two documents of 27 bytes each.
    assert!(world.held.1 <= 200 / 27 + 10, "{:?}", world.held);
    let changes =
        world.events.iter().filter(|event| matches!(event, ReplicationEvent::Change { .. })).count();
    assert!(changes > 5, "{changes}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_everything_arrives_and_no_checkpoint_passes_what_has_not(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        since_zero: bool,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut world = World { limits, ..world(docs) };
        let mut options = json!({"retry": true, "batch_size": batch_size});
        if since_zero {
            options["since"] = 0.into();
        }
        simulate(&mut world, &options.to_string(), &steps);
        prop_assert!(world.finished);
        prop_assert!(matches!(world.events.last(), Some(ReplicationEvent::Complete(report)) if report.status == Some(Status::Complete)));
        check_events(&world.events);
        // An edit after the last page was read is for the next replication.
        let last = world.target_log.clone();
        simulate_again(&mut world);
        prop_assert!(world.has_everything(), "{:?} {:?}", world.feed, last);
    }

    #[test]
    fn a_live_replication_ends_up_paused_with_everything_there(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        own: bool,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut world = World { limits, is_own_feed: own, ..world(docs) };
        let options = json!({"live": true, "retry": true, "batch_size": batch_size}).to_string();
        simulate(&mut world, &options, &steps);
        prop_assert!(!world.finished);
        check_events(&world.events);
        prop_assert!(world.has_everything());
        let told = world.events.iter().rev().find(|event| {
            !matches!(event, ReplicationEvent::Checkpoint(_) | ReplicationEvent::Status(_))
        });
        prop_assert!(matches!(told, Some(ReplicationEvent::Paused(None))), "{told:?}");
        // Both sides know how far it has come.
        let position = |log: &Option<LocalDoc>| log.as_ref().map_or(0, |log| log["last_seq"].as_u64().unwrap());
        prop_assert_eq!(position(&world.target_log), world.next_seq - 1);
        prop_assert_eq!(position(&world.source_log), world.next_seq - 1);
    }

    #[test]
    fn without_errors_no_document_is_written_twice(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        steps in prop::collection::vec(
            prop_oneof![
                6 => any::<prop::sample::Index>().prop_map(Step::Answer),
                1 => (0_u8..40).prop_map(Step::Edit),
            ],
            0..300,
        ),
    ) {
        let mut world = World { limits, ..world(docs) };
        simulate(&mut world, &json!({"live": true, "batch_size": batch_size}).to_string(), &steps);
        prop_assert_eq!(world.written_twice, 0);
        prop_assert_eq!(told(&world.events), world.target.len() as u64);
        prop_assert!(world.has_everything());
    }

    #[test]
    fn a_cancelled_replication_ends_at_once_wherever_it_is(
        docs in 0_u8..40,
        live: bool,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = world(docs);
        let options = json!({"live": live, "retry": true, "batch_size": 5}).to_string();
        let mut machine = world.start(&options);
        for step in &steps {
            let (Step::Answer(index), false) = (step, world.waiting.is_empty()) else { continue };
            let at = index.index(world.waiting.len());
            if !world.finished && world.is_ready(&world.waiting[at].1) {
                let (token, request) = world.waiting.remove(at);
                let answer = world.answer(request);
                let effects = machine.handle(Event::Answered(token, answer), Millis(world.now));
                world.do_effects(effects);
            }
        }
        if !world.finished {
            let effects = machine.handle(Event::Cancel, Millis(world.now));
            world.do_effects(effects);
            let only_checkpoints = |(_, request): &(Token, Request)| {
                matches!(request, Request::WriteCheckpoint(..) | Request::ReadCheckpoint(..) | Request::Sleep(_))
            };
            prop_assert!(world.waiting.iter().all(only_checkpoints), "{:?}", world.waiting);
            settle(&mut machine, &mut world);
            prop_assert!(world.finished);
            let ended = matches!(world.events.last(), Some(ReplicationEvent::Complete(report)) if report.status == Some(Status::Cancelled));
            prop_assert!(ended);
        }
        simulate_again(&mut world);
        prop_assert!(world.has_everything());
    }

    #[test]
    fn documents_the_source_can_not_give_are_reported_and_the_rest_arrives(
        docs in 2_u8..40,
        poisoned in prop::collection::btree_set(0_u8..40, 1..4),
        batch_size in 1_u8..12,
        limits in limits(),
    ) {
        let mut world = World { limits, ..world(docs) };
        world.poisoned = poisoned.iter().filter(|id| **id < docs).map(|id| format!("doc{id}")).collect();
        simulate(&mut world, &json!({"retry": true, "batch_size": batch_size}).to_string(), &[]);
        prop_assert!(world.has_everything());
        let Some(ReplicationEvent::Complete(report)) = world.events.last() else { panic!("it did not complete") };
        prop_assert!(report.ok);
        let denied: BTreeSet<_> = world.events.iter().filter_map(|event| match event {
            ReplicationEvent::Denied(error) => Some(error.doc_id().unwrap().to_owned()),
            _ => None,
        }).collect();
        prop_assert_eq!(denied, world.poisoned);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_was_refused_for_a_while_arrives_once_it_is_taken(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        live: bool,
        target_is_remote: bool,
        steps in prop::collection::vec(step_with_refusals(), 0..400),
    ) {
        let mut world = World { limits, target_is_remote, ..world(docs) };
        let options = json!({"live": live, "retry": true, "batch_size": batch_size}).to_string();
        let mut machine = take_steps(&mut world, &options, &steps);
        world.heal();
        settle(&mut machine, &mut world);
        check_events(&world.events);
        if live {
            // It has nothing else to wait for than the time of the next try, an hour at most.
            let start = world.now;
            while let Some(index) = world.waiting.iter().position(|(_, request)| matches!(request, Request::Sleep(_))) {
                let (token, request) = world.waiting.remove(index);
                let answer = world.answer(request);
                let effects = machine.handle(Event::Answered(token, answer), Millis(world.now));
                world.do_effects(effects);
                settle(&mut machine, &mut world);
            }
            prop_assert!(world.now - start <= 3_700_000, "{}", world.now - start);
            check_events(&world.events);
            prop_assert_eq!(set_aside(&world), Some(0));
            let told = world.events.iter().rev().find(|event| {
                !matches!(event, ReplicationEvent::Checkpoint(_) | ReplicationEvent::Status(_))
            });
            prop_assert!(matches!(told, Some(ReplicationEvent::Paused(None))), "{told:?}");
        } else {
            simulate_again(&mut world);
        }
        prop_assert!(world.has_everything(), "{:?} {:?}", world.feed, world.target);
        prop_assert!(world.kept().is_none_or(|doc| !doc.contains_key("set_aside")), "{:?}", world.kept());
    }
}

/// The same replication once more, without trouble.
fn simulate_again(world: &mut World) {
    world.finished = false;
    world.events.clear();
    simulate(world, "{}", &[]);
    assert!(world.finished);
}
