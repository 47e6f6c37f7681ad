//! The queue.

use std::sync::Arc;

use statem::net::{Lost, NotSent, Policy, Queue, Queued, RequestError, Settled};

use crate::support::{Caller, Scene, told};

struct Waiting {
    scene: Scene,
    queue: Queue<u32, String>,
    callers: Vec<Caller>,
}

impl Waiting {
    fn new(bound: usize) -> Self {
        Waiting {
            scene: Scene::new(),
            queue: Queue::new(bound),
            callers: Vec::new(),
        }
    }

    /// The request has the number of its caller.
    fn ask(&mut self, policy: Policy) {
        let (reply, caller) = self.scene.call();
        let number = u32::try_from(self.callers.len()).expect("few");
        self.callers.push(caller);
        let why = || NotSent::Disconnected(Arc::new(Lost::NotYet));
        self.queue.push(number, reply, policy, why);
    }

    fn told(&mut self) -> Vec<String> {
        self.callers.iter_mut().map(told).collect()
    }

    fn take_all(&mut self) -> Vec<u32> {
        std::iter::from_fn(|| self.queue.take())
            .map(|queued| queued.request)
            .collect()
    }
}

#[test]
fn f32_the_oldest_is_taken_first_and_what_is_given_back_keeps_its_place() {
    let mut waiting = Waiting::new(8);
    for _ in 0..3 {
        waiting.ask(Policy::Wait);
    }
    let first = waiting.queue.take().expect("three wait");
    assert_eq!(first.request, 0);
    waiting.queue.give_back(first);
    assert_eq!(waiting.take_all(), [0, 1, 2]);
}

#[test]
fn who_fails_fast_does_not_wait() {
    let mut waiting = Waiting::new(8);
    waiting.ask(Policy::FailFast);
    assert_eq!(waiting.told(), ["disconnected"]);
    assert!(waiting.queue.is_empty());
    assert_eq!(waiting.queue.take_settled().not_sent, 1);
    assert_eq!(waiting.queue.take_settled(), Settled::default());
}

#[test]
fn f31_beyond_the_bound_the_newest_is_told_that_the_queue_is_full() {
    let mut waiting = Waiting::new(2);
    for _ in 0..3 {
        waiting.ask(Policy::Wait);
    }
    assert_eq!(waiting.told(), ["nothing", "nothing", "full"]);
}

#[test]
fn f31_a_caller_may_ask_for_a_lower_bound_and_for_no_higher_one() {
    let mut waiting = Waiting::new(2);
    waiting.ask(Policy::Wait);
    waiting.ask(Policy::DropNewest(1));
    assert_eq!(waiting.told(), ["nothing", "full"]);
    waiting.ask(Policy::DropNewest(100));
    waiting.ask(Policy::DropNewest(100));
    assert_eq!(waiting.told()[2..], ["nothing", "full"]);
}

#[test]
fn f31_the_oldest_that_may_be_dropped_gives_way() {
    let mut waiting = Waiting::new(8);
    waiting.ask(Policy::Wait);
    waiting.ask(Policy::DropOldest(3));
    waiting.ask(Policy::DropOldest(3));
    waiting.ask(Policy::DropOldest(3));
    assert_eq!(
        waiting.told(),
        ["nothing", "displaced", "nothing", "nothing"]
    );
    assert_eq!(waiting.take_all(), [0, 2, 3]);
}

#[test]
fn who_waits_by_another_policy_does_not_give_way() {
    let mut waiting = Waiting::new(8);
    waiting.ask(Policy::Wait);
    waiting.ask(Policy::DropOldest(1));
    assert_eq!(waiting.told(), ["nothing", "full"]);
}

#[test]
fn n53_those_that_have_gone_make_room_before_anybody_is_refused() {
    let mut waiting = Waiting::new(4);
    for _ in 0..4 {
        waiting.ask(Policy::Wait);
    }
    waiting.callers.truncate(1);
    waiting.ask(Policy::Wait);
    assert_eq!(waiting.queue.len(), 2);
    assert_eq!(waiting.told(), ["nothing", "nothing"]);
    assert_eq!(waiting.queue.take_settled().not_sent, 3);
}

#[test]
fn f25_a_request_whose_caller_has_gone_is_not_taken() {
    let mut waiting = Waiting::new(4);
    waiting.ask(Policy::Wait);
    waiting.ask(Policy::Wait);
    drop(waiting.callers.remove(0));
    assert_eq!(waiting.take_all(), [1]);
    assert_eq!(waiting.queue.take_settled().not_sent, 1);
}

#[test]
fn f28_what_may_have_run_goes_on_being_unknown_while_it_waits() {
    let mut waiting = Waiting::new(4);
    let (reply, caller) = waiting.scene.call();
    let (other, mut still_there) = waiting.scene.call();
    for (request, reply) in [(1, reply), (0, other)] {
        waiting.queue.give_back(Queued {
            request,
            reply,
            policy: Policy::Wait,
            handed: true,
            replays: 1,
        });
    }
    drop(caller);
    let taken = waiting.queue.take().expect("one is still there");
    assert_eq!((taken.request, taken.handed), (0, true));
    waiting.queue.give_back(taken);
    waiting.queue.settle(|handed| {
        assert!(handed);
        RequestError::Protocol(Arc::new(Lost::Replaced))
    });
    assert_eq!(told(&mut still_there), "protocol");
    let settled = waiting.queue.take_settled();
    assert_eq!((settled.unknown, settled.protocol), (1, 1));
}

#[test]
fn a_replayed_request_whose_caller_has_gone_counts_as_unknown() {
    let mut waiting = Waiting::new(4);
    let (reply, caller) = waiting.scene.call();
    waiting.queue.give_back(Queued {
        request: 0,
        reply,
        policy: Policy::Wait,
        handed: true,
        replays: 0,
    });
    drop(caller);
    assert!(waiting.queue.take().is_none());
    assert_eq!(waiting.queue.take_settled().unknown, 1);
}
