//! Which feeds wait at a server: browsers open six connections to one of HTTP/1.1, and what waits is missing for everything
//! else. So only some wait at a time, and where there are more they take turns.

use crate::env::{self, Millis};
use futures_channel::oneshot;
use futures_util::future::poll_fn;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};

/// So many feeds of a server wait at a time. The other connections are left for requests.
const PLACES: usize = 4;
/// How long a feed waits where others want to: each turn costs a request.
const TURN: Millis = Millis(2_000);
/// How long the others have wanted to by then: with one feed more than places, one gives way after the other.
const PATIENCE: Millis = Millis(TURN.0 / PLACES as u64);

thread_local! {
    static SERVERS: RefCell<HashMap<String, Weak<Server>>> = RefCell::default();
}

/// The feeds of a server on this page or worker.
pub(super) struct Server {
    name: String,
    taken: Cell<usize>,
    /// Who wants a place, and since when.
    queue: RefCell<VecDeque<(Millis, oneshot::Sender<Place>)>>,
    /// Those who would give their place away if somebody wanted it, by the number of the place.
    holders: RefCell<BTreeMap<u64, Waker>>,
    next: Cell<u64>,
    members: RefCell<Vec<Weak<dyn Member>>>,
    /// How often it was found that a connection had died.
    deaths: Cell<u32>,
}

/// A feed, which may hold a place.
pub(super) trait Member {
    /// Gives its place back where it does not wait at the moment.
    fn give_back(&self);
}

/// Leave to wait, until it is dropped.
pub(super) struct Place {
    server: Rc<Server>,
    number: u64,
    since: Millis,
}

impl Server {
    /// The one of this name.
    pub(super) fn named(name: String) -> Rc<Self> {
        SERVERS.with_borrow_mut(|servers| {
            if let Some(server) = servers.get(&name).and_then(Weak::upgrade) {
                return server;
            }
            let server = Rc::new(Self {
                name: name.clone(),
                taken: Cell::new(0),
                queue: RefCell::default(),
                holders: RefCell::default(),
                next: Cell::new(0),
                members: RefCell::default(),
                deaths: Cell::default(),
            });
            servers.insert(name, Rc::downgrade(&server));
            server
        })
    }

    /// A request got no answer, but when it was sent again it did: connections on which nothing has come since may be dead too.
    pub(super) fn suspect(name: &str) {
        let server = SERVERS.with_borrow(|servers| servers.get(name).and_then(Weak::upgrade));
        if let Some(server) = server {
            server.deaths.set(server.deaths.get().wrapping_add(1));
            server.wake_holders();
        }
    }

    fn wake_holders(&self) {
        self.holders.take().into_values().for_each(Waker::wake);
    }

    /// One more feed.
    pub(super) fn join(&self, member: Weak<dyn Member>) {
        let mut members = self.members.borrow_mut();
        members.retain(|member| member.strong_count() > 0);
        members.push(member);
    }

    /// A place, when it is the caller's turn.
    pub(super) async fn place(self: &Rc<Self>) -> Place {
        loop {
            if self.taken.get() >= PLACES {
                let members = self.members.borrow().clone();
                members.iter().filter_map(Weak::upgrade).for_each(|member| member.give_back());
            }
            // Whoever has queued before comes first; they have been given what was free.
            if self.taken.get() < PLACES {
                self.taken.set(self.taken.get() + 1);
                return Place::of(self);
            }
            let (sender, receiver) = oneshot::channel();
            self.queue.borrow_mut().push_back((env::now(), sender));
            self.wake_holders();
            if let Ok(place) = receiver.await {
                return place;
            }
        }
    }

    /// Since when somebody wants a place.
    fn wanted_since(&self) -> Option<Millis> {
        self.queue.borrow().iter().find(|(_, waiting)| !waiting.is_canceled()).map(|(since, _)| *since)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        SERVERS.with_borrow_mut(|servers| {
            // One of the same name may have been made anew meanwhile.
            if servers.get(&self.name).is_some_and(|server| server.strong_count() == 0) {
                servers.remove(&self.name);
            }
        });
    }
}

impl Place {
    fn of(server: &Rc<Server>) -> Self {
        let number = server.next.replace(server.next.get() + 1);
        Self { server: server.clone(), number, since: env::now() }
    }

    /// How often a connection to the server has died.
    pub(super) fn deaths(&self) -> u32 {
        self.server.deaths.get()
    }

    /// Resolves when others want to wait and the turn is over; or when a connection has died since there were so many
    /// [`deaths`](Self::deaths): this one may be dead too.
    pub(super) async fn turn_over(&self, deaths: u32) {
        loop {
            let Some(wanted_since) = self.wanted(deaths).await else { return };
            let now = env::now();
            let pause = TURN.left(self.since, now).max(PATIENCE.left(wanted_since, now));
            if pause == Millis(0) {
                return;
            }
            env::sleep(pause).await;
        }
    }

    /// Since when somebody wants the place, as soon as there is somebody; `None` where the connection may be dead.
    async fn wanted(&self, deaths: u32) -> Option<Millis> {
        poll_fn(|context| {
            if self.deaths() != deaths {
                return Poll::Ready(None);
            }
            if let Some(since) = self.server.wanted_since() {
                return Poll::Ready(Some(since));
            }
            self.server.holders.borrow_mut().insert(self.number, context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.holders.borrow_mut().remove(&self.number);
        let next = || self.server.queue.borrow_mut().pop_front();
        while let Some((_, waiting)) = next() {
            if waiting.is_canceled() {
                continue;
            }
            // Should it have gone away all the same, its place comes here again.
            let _ = waiting.send(Place::of(&self.server));
            return;
        }
        self.server.taken.set(self.server.taken.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use futures_util::future::LocalBoxFuture;

    fn server(name: &str) -> Rc<Server> {
        Server::named(format!("http://{name}"))
    }

    fn waiting(server: &Rc<Server>) -> LocalBoxFuture<'static, Place> {
        let server = server.clone();
        async move { server.place().await }.boxed_local()
    }

    fn at_once(server: &Rc<Server>) -> Option<Place> {
        waiting(server).now_or_never()
    }

    struct Kept(RefCell<Option<Place>>);

    impl Member for Kept {
        fn give_back(&self) {
            self.0.take();
        }
    }

    #[test]
    fn a_server_has_so_many_places_and_others_have_their_own() {
        let places: Vec<_> = (0..PLACES).map(|_| at_once(&server("a")).unwrap()).collect();
        assert!(at_once(&server("a")).is_none());
        assert!(at_once(&server("b")).is_some());
        drop(places);
        let again: Vec<_> = (0..PLACES).map(|_| at_once(&server("a"))).collect();
        assert!(again.iter().all(Option::is_some));
        drop(again);
        SERVERS.with_borrow(|servers| assert!(servers.is_empty()));
    }

    #[test]
    fn who_queues_gets_a_place_in_turn_and_who_went_away_keeps_none() {
        let server = server("a");
        let mut places: Vec<_> = (0..PLACES).map(|_| at_once(&server).unwrap()).collect();
        let (mut first, mut second, mut third) = (waiting(&server), waiting(&server), waiting(&server));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        drop(first);
        places.pop();
        assert!((&mut third).now_or_never().is_none());
        // It has a place, but it never learns of it.
        drop(second);
        let third = third.now_or_never().unwrap();
        drop((third, places));
        assert_eq!(server.taken.get(), 0);
    }

    #[test]
    fn what_is_kept_without_waiting_is_given_back_where_it_is_wanted() {
        let server = server("a");
        let kept = Rc::new(Kept(RefCell::new(at_once(&server))));
        server.join(Rc::downgrade(&kept) as Weak<dyn Member>);
        let places: Vec<_> = (1..PLACES).map(|_| at_once(&server).unwrap()).collect();
        assert!(kept.0.borrow().is_some());
        assert!(at_once(&server).is_some());
        assert!(kept.0.borrow().is_none());
        drop(places);
    }

    #[test]
    fn a_turn_is_over_only_where_others_have_wanted_it_for_a_while() {
        let server = server("a");
        let mut places: Vec<_> = (0..PLACES).map(|_| at_once(&server).unwrap()).collect();
        places[0].since = Millis(0);
        let over = |place: &Place| place.turn_over(place.deaths()).now_or_never().is_some();
        assert!(!over(&places[0]));
        let mut next = waiting(&server);
        assert!((&mut next).now_or_never().is_none());
        assert!(!over(&places[0]));
        server.queue.borrow_mut()[0].0 = Millis(0);
        assert_eq!((over(&places[0]), over(&places[1])), (true, false));
        drop(next);
        assert!(!over(&places[0]));
    }

    #[test]
    fn a_connection_that_may_have_died_is_left() {
        let server = server("dying");
        let place = at_once(&server).unwrap();
        let mut waits = Box::pin(place.turn_over(place.deaths()));
        assert!((&mut waits).now_or_never().is_none());
        Server::suspect("elsewhere");
        assert!((&mut waits).now_or_never().is_none());
        Server::suspect(&server.name);
        assert!(waits.now_or_never().is_some());
        assert!(place.turn_over(place.deaths()).now_or_never().is_none(), "it is heard of again");
    }
}
