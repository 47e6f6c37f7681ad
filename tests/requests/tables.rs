//! The tables.

use std::sync::Arc;

use statem::net::{Answered, ById, InOrder, Lost, RequestError, Sent, Settled};

use crate::support::{Scene, told};

fn reset() -> impl Fn(bool) -> RequestError {
    let lost = Arc::new(Lost::Replaced);
    move |handed| RequestError::of_lost(&lost, handed)
}

#[test]
fn answers_in_order_go_to_the_oldest() {
    let mut scene = Scene::new();
    let mut table: InOrder<String> = InOrder::new(8);
    let (first, mut one) = scene.call();
    let (second, mut two) = scene.call();
    table.push(Sent::new(scene.send(), Some(first)));
    table.push(Sent::new(scene.send(), Some(second)));
    assert_eq!(
        table.answer(scene.link(), "1".to_owned()),
        Answered::Delivered
    );
    assert_eq!(
        (told(&mut one), told(&mut two)),
        ("1".into(), "nothing".into())
    );
    assert_eq!(
        table.answer(scene.link(), "2".to_owned()),
        Answered::Delivered
    );
    assert_eq!(told(&mut two), "2");
}

#[test]
fn n84_in_order_the_place_of_a_caller_that_has_gone_stays_until_its_answer_has_come() {
    let mut scene = Scene::new();
    let mut table: InOrder<String> = InOrder::new(2);
    let (first, one) = scene.call();
    let (second, mut two) = scene.call();
    table.push(Sent::new(scene.send(), Some(first)));
    table.push(Sent::new(scene.send(), Some(second)));
    drop(one);
    assert!(table.is_full());
    assert_eq!(
        table.answer(scene.link(), "for the first".to_owned()),
        Answered::Late
    );
    assert!(!table.is_full());
    assert_eq!(
        table.answer(scene.link(), "for the second".to_owned()),
        Answered::Delivered
    );
    assert_eq!(told(&mut two), "for the second");
}

#[test]
fn f30_an_answer_that_nobody_asked_for_is_given_back() {
    let scene = Scene::new();
    let mut in_order: InOrder<u8> = InOrder::new(2);
    assert_eq!(in_order.answer(scene.link(), 7), Answered::Stray(7));
    let mut by_id: ById<u8> = ById::new(1..=4, 2);
    assert_eq!(by_id.answer(scene.link(), 3, 7), Answered::Stray(7));
}

#[test]
fn the_answer_to_a_request_of_the_machine_itself_reaches_nobody() {
    let mut scene = Scene::new();
    let mut in_order: InOrder<u8> = InOrder::new(2);
    in_order.push(Sent::new(scene.send(), None));
    assert_eq!(in_order.answer(scene.link(), 7), Answered::Own);
    let mut by_id: ById<u8> = ById::new(1..=4, 2);
    by_id.push(1, Sent::new(scene.send(), None));
    assert_eq!(by_id.answer(scene.link(), 1, 7), Answered::Own);
}

#[test]
fn n80_three_requests_of_ten_bytes_of_which_fifteen_are_accepted() {
    let mut scene = Scene::new();
    let mut table: InOrder<String> = InOrder::new(8);
    let mut callers = Vec::new();
    scene.wire.accept(15);
    for _ in 0..3 {
        let (reply, caller) = scene.call();
        table.push(Sent::new(scene.send(), Some(reply)));
        callers.push(caller);
    }
    scene.flush();
    let settled = table.settle(scene.link(), reset(), |never, _, _| match never {});
    let told: Vec<_> = callers.iter_mut().map(told).collect();
    assert_eq!(told, ["unknown", "unknown", "not sent"]);
    let expected = Settled {
        not_sent: 1,
        unknown: 2,
        ..Settled::default()
    };
    assert_eq!(settled, expected);
    assert!(table.is_empty());
}

#[test]
fn n81_by_id_the_oldest_is_told_first_whatever_its_id() {
    let mut scene = Scene::new();
    let mut table: ById<String> = ById::new(1..=4, 4);
    let mut callers = Vec::new();
    for id in [1, 2, 3, 4] {
        assert_eq!(table.free_id(), Some(id));
        let (reply, caller) = scene.call();
        table.push(id, Sent::new(scene.send(), Some(reply)));
        callers.push(caller);
    }
    // 1 and 2 are free again and given to newer ones than 3 and 4.
    for id in [1, 2] {
        assert_eq!(
            table.answer(scene.link(), id, "done".to_owned()),
            Answered::Delivered
        );
        assert_eq!(table.free_id(), Some(id));
        let (reply, caller) = scene.call();
        table.push(id, Sent::new(scene.send(), Some(reply)));
        callers.push(caller);
    }
    scene.flush();
    let order = std::cell::RefCell::new(0);
    let error = |handed: bool| {
        assert!(handed);
        *order.borrow_mut() += 1;
        RequestError::of_lost(
            &Arc::new(Lost::Handshake(order.borrow().to_string().into())),
            true,
        )
    };
    let settled = table.settle(scene.link(), error, |never, _, _| match never {});
    assert_eq!(settled.unknown, 4);
    let said = |caller: &mut crate::support::Caller| match caller.try_take() {
        Some(Err(error)) => error.to_string(),
        other => format!("{other:?}"),
    };
    let told: Vec<_> = callers[2..].iter_mut().map(said).collect();
    for (place, told) in told.iter().enumerate() {
        assert!(told.ends_with(&format!("failed: {}", place + 1)), "{told}");
    }
}

#[test]
fn f29_an_id_whose_caller_has_gone_is_not_given_to_another_one() {
    let mut scene = Scene::new();
    let mut table: ById<String> = ById::new(1..=4, 1024);
    let mut callers = Vec::new();
    for _ in 0..4 {
        let id = table.free_id().expect("there are four");
        let (reply, caller) = scene.call();
        table.push(id, Sent::new(scene.send(), Some(reply)));
        callers.push(Some(caller));
    }
    callers[2] = None;
    assert_eq!((table.is_full(), table.free_id()), (true, None));
    assert_eq!(
        table.answer(scene.link(), 3, "late".to_owned()),
        Answered::Late
    );
    assert_eq!(table.free_id(), Some(3));
    assert_eq!(
        table.answer(scene.link(), 3, "again".to_owned()),
        Answered::Stray("again".to_owned())
    );
}

#[test]
fn ids_go_around_at_the_end_of_their_range() {
    let mut scene = Scene::new();
    let last = u64::MAX;
    let mut table: ById<u8> = ById::new(last - 1..=last, 8);
    let mut given = Vec::new();
    for _ in 0..4 {
        let id = table.free_id().expect("all are free");
        table.push(id, Sent::new(scene.send(), None));
        assert_eq!(table.answer(scene.link(), id, 0), Answered::Own);
        given.push(id);
    }
    assert_eq!(given, [last - 1, last, last - 1, last]);
    let mut none: ById<u8> = ById::new(RANGE_OF_NOTHING, 8);
    assert_eq!((none.is_full(), none.free_id()), (true, None));
}

#[expect(clippy::reversed_empty_ranges, reason = "that is the case")]
const RANGE_OF_NOTHING: std::ops::RangeInclusive<u64> = 2..=1;

#[test]
fn f22_a_request_that_may_take_long_is_not_watched() {
    let mut scene = Scene::new();
    let mut in_order: InOrder<u8> = InOrder::new(8);
    assert_eq!(in_order.oldest(), None);
    in_order.push(Sent::new(scene.send(), None).long(true));
    in_order.push(Sent::new(scene.send(), None));
    // In order, nothing is answered before it.
    assert_eq!(in_order.oldest(), None);
    let _ = in_order.answer(scene.link(), 0);
    assert_eq!(in_order.oldest(), Some(1));

    let mut by_id: ById<u8> = ById::new(1..=9, 8);
    by_id.push(1, Sent::new(scene.send(), None).long(true));
    assert_eq!(by_id.oldest(), None);
    by_id.push(2, Sent::new(scene.send(), None));
    assert_eq!(by_id.oldest(), Some(1));
}

#[test]
fn what_may_run_twice_is_given_back_unless_its_caller_has_gone() {
    let mut scene = Scene::new();
    let mut table: InOrder<String, &str> = InOrder::new(8);
    let (first, mut one) = scene.call();
    let (second, two) = scene.call();
    let (third, mut three) = scene.call();
    scene.wire.accept(15);
    table.push(Sent::new(scene.send(), Some(first)));
    table.push(Sent::new(scene.send(), Some(second)).replay(Some(Box::new("gone"))));
    table.push(Sent::new(scene.send(), Some(third)).replay(Some(Box::new("again"))));
    drop(two);
    scene.flush();
    let mut again = Vec::new();
    let settled = table.settle(scene.link(), reset(), |request, reply, handed| {
        again.push((request, handed));
        drop(reply.send("another time".to_owned()));
    });
    assert_eq!(again, [("again", false)]);
    assert_eq!(settled.unknown, 2);
    assert_eq!(
        (told(&mut one), told(&mut three)),
        ("unknown".into(), "another time".into())
    );
}

#[test]
fn a_table_that_is_dropped_tells_everybody() {
    let mut scene = Scene::new();
    let mut table: InOrder<String> = InOrder::new(8);
    let (reply, mut caller) = scene.call();
    table.push(Sent::new(scene.send(), Some(reply)));
    drop(table);
    assert_eq!(told(&mut caller), "not answered");
}

#[test]
fn n80_what_has_not_left_is_not_answered() {
    let mut scene = Scene::new();
    let mut in_order: InOrder<String> = InOrder::new(8);
    let mut by_id: ById<String> = ById::new(1..=9, 8);
    let mut callers = Vec::new();
    scene.wire.accept(0);
    for id in 1..=2 {
        let (reply, caller) = scene.call();
        in_order.push(Sent::new(scene.send(), Some(reply)));
        callers.push(caller);
        let (reply, caller) = scene.call();
        by_id.push(id, Sent::new(scene.send(), Some(reply)));
        callers.push(caller);
    }
    let stray = |answer: &str| Answered::Stray(answer.to_owned());
    assert_eq!(in_order.answer(scene.link(), "a".to_owned()), stray("a"));
    assert_eq!(by_id.answer(scene.link(), 1, "b".to_owned()), stray("b"));
    // Each table's first one, and a part of the next.
    scene.wire.accept(10 + 10 + 5);
    scene.flush();
    let delivered = Answered::Delivered;
    assert_eq!(in_order.answer(scene.link(), "a".to_owned()), delivered);
    assert_eq!(by_id.answer(scene.link(), 1, "b".to_owned()), delivered);
    // Of this one five bytes have left, of that one none.
    assert_eq!(in_order.answer(scene.link(), "c".to_owned()), delivered);
    assert_eq!(by_id.answer(scene.link(), 2, "d".to_owned()), stray("d"));
    assert_eq!(by_id.len(), 1);
    let told: Vec<_> = callers.iter_mut().map(told).collect();
    assert_eq!(told, ["a", "b", "c", "nothing"]);
}
