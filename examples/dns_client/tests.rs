//! The whole client in a network in memory, on a clock that stands still while anything runs.

use std::time::Duration;

use statem::{CallError, Request, Status};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::machine::{Dns, Settings};
use super::memory::Memory;
use super::message::{Code, Data, Kind, Message, Question};
use super::outcome::{Answered, Counts, DnsError, Failed, Over};
use super::responder::{Fault, Zone};

fn question(name: &str, kind: Kind) -> Question {
    Question::new(name.parse().expect("a name"), kind)
}

fn a() -> Question {
    question("example.test", Kind::A)
}

fn big() -> Question {
    question("big.example.test", Kind::TXT)
}

async fn ask(dns: &Dns, question: Question) -> Answered {
    let answered = dns.ask(question.clone()).await;
    let answered = answered.unwrap_or_else(|error| panic!("{question}: {error}"));
    assert!(answered.message.answers(&question), "{question}");
    answered
}

async fn fail(dns: &Dns, question: Question) -> DnsError {
    match dns.ask(question).await {
        Err(CallError::Failed(error)) => error,
        other => panic!("not the client's own error: {other:?}"),
    }
}

fn state(dns: &Dns) -> &'static str {
    match dns.watch().status() {
        Status::Running(state) => state,
        other => panic!("the client has ended: {other:?}"),
    }
}

async fn counts(dns: &Dns) -> Counts {
    let counts = dns.counts().await.expect("the client is there");
    assert_eq!(
        counts.asked,
        counts.answered + counts.failed + counts.given_up,
        "at rest every question has one outcome: {counts:?}"
    );
    counts
}

/// As the machine measures it.
#[expect(clippy::disallowed_methods, reason = "this is not in a machine")]
async fn took<T>(outcome: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (outcome.await, began.elapsed())
}

fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_over_udp_at_the_first_attempt() {
    let zone = Zone::example();
    let network = Memory::of(&[&zone]);
    let dns = network.start();
    let answered = ask(&dns, a()).await;
    assert_eq!((answered.over, answered.attempts), (Over::Udp, 1));
    assert_eq!(answered.server, network.servers[0].0);
    assert_eq!(answered.message.answers.len(), 2);
    let none = ask(&dns, question("none.example.test", Kind::A)).await;
    assert_eq!(none.message.flags.code, Code::NO_SUCH_NAME);
    let counts = counts(&dns).await;
    assert_eq!((counts.sent, counts.opened, counts.connections), (2, 1, 0));
    assert_eq!(counts.quarantined, 0);
}

#[tokio::test(start_paused = true)]
async fn many_questions_at_once_get_each_its_own_answer() {
    let zone = Zone::default();
    let asked = 200_u8;
    for n in 0..asked {
        let name = format!("n{n}.test");
        zone.add(&name.parse().unwrap(), Data::A([192, 0, 2, n].into()));
        // The later it is asked, the sooner it is answered; every tenth goes over TCP.
        let after = milliseconds(250 - u64::from(n));
        zone.fault(&name, Over::Udp, Fault::Late(after));
        if n % 10 == 0 {
            let texts = vec![vec![n; 250]; 4];
            zone.add(&name.parse().unwrap(), Data::Txt(texts));
        }
    }
    let dns = Memory::of(&[&zone]).start();
    let mut callers = JoinSet::new();
    for n in 0..asked {
        let dns = dns.clone();
        callers.spawn(async move {
            let kind = if n % 10 == 0 { Kind::TXT } else { Kind::A };
            let answered = ask(&dns, question(&format!("n{n}.test"), kind)).await;
            match &answered.message.answers[0].data {
                Data::A(address) => assert_eq!(address.octets()[3], n),
                Data::Txt(texts) => assert_eq!(texts[0][0], n),
                other => panic!("{other:?}"),
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("its answer is right");
    }
    let counts = counts(&dns).await;
    assert_eq!((counts.answered, counts.sent), (200, 200));
    assert_eq!((counts.truncated, counts.connections), (20, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_datagram_is_sent_again_with_growing_pauses() {
    let zone = Zone::example();
    let network = Memory::of(&[&zone]);
    for _ in 0..2 {
        zone.fault("example.test", Over::Udp, Fault::Lose);
    }
    let dns = network.start();
    let (answered, time) = took(ask(&dns, a())).await;
    assert_eq!(answered.attempts, 3);
    assert!((3000..3010).contains(&time.as_millis()), "{time:?}");
    // All copies have one id: an answer to any of them would do.
    let ids = network.ids.lock().unwrap().clone();
    assert!(matches!(ids[..], [first, second, third] if first == second && second == third));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_after_all_rounds() {
    let zone = Zone::example();
    for _ in 0..3 {
        zone.fault("example.test", Over::Udp, Fault::Lose);
    }
    let dns = Memory::of(&[&zone]).start();
    let (error, time) = took(fail(&dns, a())).await;
    let DnsError::NoAnswer { attempts, last, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!((attempts, last), (3, Failed::Silence)));
    assert!((7000..7010).contains(&time.as_millis()), "{time:?}");
    // Its id stays out of use until nobody can answer any more.
    assert_eq!(counts(&dns).await.quarantined, 1);
}

#[tokio::test(start_paused = true)]
async fn who_guesses_neither_the_id_nor_the_question_is_not_believed() {
    let zone = Zone::example();
    for fault in [Fault::WrongId, Fault::WrongQuestion, Fault::Garbage] {
        zone.fault("example.test", Over::Udp, fault);
    }
    let dns = Memory::of(&[&zone]).start();
    for _ in 0..3 {
        let answered = ask(&dns, a()).await;
        assert_eq!((answered.attempts, answered.message.answers.len()), (1, 2));
    }
    let counts = counts(&dns).await;
    assert_eq!(
        (counts.stray, counts.mismatched, counts.malformed),
        (1, 1, 1)
    );
    assert_eq!(counts.quarantined, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_earlier_attempt_is_as_good() {
    let zone = Zone::example();
    zone.fault("example.test", Over::Udp, Fault::Late(milliseconds(1500)));
    zone.fault("example.test", Over::Udp, Fault::Late(milliseconds(1800)));
    let dns = Memory::of(&[&zone]).start();
    let (answered, time) = took(ask(&dns, a())).await;
    assert_eq!(answered.attempts, 2);
    assert!((1500..1510).contains(&time.as_millis()), "{time:?}");
    // The second copy is unanswered, so the id waits for it; then it is free.
    assert_eq!(counts(&dns).await.quarantined, 1);
    sleep(milliseconds(1500)).await;
    let counts = counts(&dns).await;
    assert_eq!((counts.late, counts.quarantined), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn n84_the_id_of_a_query_that_ended_is_not_given_to_another_one() {
    let zone = Zone::example();
    for _ in 0..3 {
        zone.fault("lost.example.test", Over::Udp, Fault::Lose);
    }
    let network = Memory::of(&[&zone]);
    let dns = network.start();
    drop(fail(&dns, question("lost.example.test", Kind::A)).await);
    let left = network.ids.lock().unwrap()[0];
    network.ids.lock().unwrap().clear();
    for _ in 0..1000 {
        drop(ask(&dns, a()).await);
    }
    assert!(!network.ids.lock().unwrap().contains(&left));
    assert_eq!(counts(&dns).await.quarantined, 1);
    sleep(Duration::from_secs(5)).await;
    drop(ask(&dns, a()).await);
    sleep(Duration::from_secs(9)).await;
    drop(ask(&dns, a()).await);
    sleep(Duration::from_secs(9)).await;
    drop(ask(&dns, a()).await);
    sleep(Duration::from_secs(9)).await;
    // The sockets were never closed, and half a minute has gone.
    let counts = counts(&dns).await;
    assert_eq!((counts.quarantined, counts.opened), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_twice_is_taken_once() {
    let zone = Zone::example();
    zone.fault("example.test", Over::Udp, Fault::Twice);
    let dns = Memory::of(&[&zone]).start();
    drop(ask(&dns, a()).await);
    drop(ask(&dns, a()).await);
    assert_eq!(counts(&dns).await.stray, 1);
}

#[tokio::test(start_paused = true)]
async fn truncation_falls_back_to_tcp_on_a_connection_that_closes_when_idle_and_opens_again() {
    let zone = Zone::example();
    let dns = Memory::of(&[&zone]).start();
    for _ in 0..3 {
        let answered = ask(&dns, big()).await;
        assert_eq!((answered.over, answered.attempts), (Over::Tcp, 1));
        let Data::Txt(texts) = &answered.message.answers[0].data else {
            panic!("{answered:?}")
        };
        assert_eq!(texts.len(), 40);
        sleep(milliseconds(1900)).await;
    }
    assert_eq!(zone.connections(), 1);
    sleep(milliseconds(200)).await;
    let idle = counts(&dns).await;
    assert_eq!((idle.connections, idle.idle, idle.lost), (1, 1, 0));
    drop(ask(&dns, big()).await);
    assert_eq!(zone.connections(), 2);
    assert_eq!((zone.asked(Over::Udp), zone.asked(Over::Tcp)), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_server_closes_is_opened_again_when_it_is_needed() {
    let zone = Zone::example();
    let network = Memory {
        server_idle: milliseconds(500),
        ..Memory::of(&[&zone])
    };
    let dns = network.start();
    drop(ask(&dns, big()).await);
    sleep(milliseconds(1000)).await;
    let ended = counts(&dns).await;
    assert_eq!((ended.connections, ended.lost, ended.idle), (1, 1, 0));
    let answered = ask(&dns, big()).await;
    assert_eq!((answered.attempts, zone.connections()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cut_in_the_middle_of_an_answer_loses_no_question() {
    let zone = Zone::example();
    for _ in 0..2 {
        zone.fault(
            "big.example.test",
            Over::Tcp,
            Fault::Late(milliseconds(300)),
        );
    }
    zone.fault(
        "cut.example.test",
        Over::Udp,
        Fault::Late(milliseconds(100)),
    );
    let dns = Memory::of(&[&zone]).start();
    let cut = question("cut.example.test", Kind::TXT);
    // Two wait for a late answer when the third one's is cut off.
    let (first, second, third) = tokio::join!(ask(&dns, big()), ask(&dns, big()), ask(&dns, cut));
    assert_eq!(
        (first.over, second.over, third.over),
        (Over::Tcp, Over::Tcp, Over::Tcp)
    );
    assert!(first.attempts == 2 && second.attempts == 2 && third.attempts == 2);
    let counts = counts(&dns).await;
    assert_eq!(
        (counts.answered, counts.lost, counts.connections),
        (3, 1, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_tcp_to_another_question_ends_the_connection() {
    let zone = Zone::example();
    zone.fault("big.example.test", Over::Tcp, Fault::OnlyWrongQuestion);
    let dns = Memory::of(&[&zone]).start();
    let answered = ask(&dns, big()).await;
    assert_eq!((answered.attempts, zone.connections()), (2, 2));
    let counts = counts(&dns).await;
    assert_eq!((counts.mismatched, counts.lost), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_where_nobody_listens_is_left_at_once_for_the_next_one() {
    let (first, second) = (Zone::example(), Zone::example());
    let network = Memory {
        first_is_down: true,
        ..Memory::of(&[&first, &second])
    };
    let dns = network.start();
    let (answered, time) = took(ask(&dns, a())).await;
    assert_eq!(
        (answered.attempts, answered.server),
        (2, network.servers[1].0)
    );
    assert!(time < milliseconds(10), "{time:?}");
    // From here on the one that answers is asked first, by both ways.
    assert_eq!(ask(&dns, a()).await.attempts, 1);
    assert_eq!(ask(&dns, big()).await.attempts, 1);
    assert_eq!(first.asked(Over::Udp), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_help_is_left_at_once_and_believed_when_it_is_the_last() {
    let (first, second) = (Zone::example(), Zone::example());
    let dns = Memory::of(&[&first, &second]).start();
    first.fault("example.test", Over::Udp, Fault::Code(Code::REFUSED));
    assert_eq!(ask(&dns, a()).await.attempts, 2);
    first.fault("example.test", Over::Udp, Fault::Code(Code::REFUSED));
    second.fault("example.test", Over::Udp, Fault::Code(Code::SERVER_FAILURE));
    let (error, time) = took(fail(&dns, a())).await;
    let DnsError::NoAnswer { attempts, last, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!((attempts, last), (2, Failed::Code(Code::REFUSED))));
    assert!(time < milliseconds(10), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_single_server_that_is_down_is_asked_again_only_when_it_is_time() {
    let zone = Zone::example();
    let network = Memory {
        first_is_down: true,
        ..Memory::of(&[&zone])
    };
    let dns = network.start();
    let (error, time) = took(fail(&dns, a())).await;
    let DnsError::NoAnswer { attempts, last, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!((attempts, last), (3, Failed::Unreachable(_))));
    assert!((7000..7010).contains(&time.as_millis()), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn sockets_are_closed_when_nobody_asks_and_opened_when_somebody_does() {
    let zone = Zone::example();
    let dns = Memory::of(&[&zone]).start();
    drop(ask(&dns, a()).await);
    sleep(milliseconds(9900)).await;
    assert_eq!(state(&dns), "Open");
    sleep(milliseconds(200)).await;
    assert_eq!(state(&dns), "Closed");
    let inspection = dns.inspect().await.expect("the client is there");
    assert!(inspection.sources.is_empty(), "{inspection:?}");
    assert!(inspection.timeouts.is_empty(), "{inspection:?}");
    drop(ask(&dns, a()).await);
    assert_eq!(counts(&dns).await.opened, 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_socket_whoever_asks_is_told_at_once() {
    let zone = Zone::example();
    let network = Memory {
        broken: true,
        ..Memory::of(&[&zone])
    };
    let dns = network.start();
    let (outcomes, time) = took(async { tokio::join!(fail(&dns, a()), fail(&dns, a())) }).await;
    assert!(matches!(
        outcomes,
        (DnsError::NoSocket(_), DnsError::NoSocket(_))
    ));
    assert!(time < milliseconds(10), "{time:?}");
    assert_eq!(state(&dns), "Broken");
    sleep(milliseconds(1100)).await;
    assert_eq!(state(&dns), "Closed");
}

#[tokio::test(start_paused = true)]
async fn more_questions_than_allowed_are_refused() {
    let zone = Zone::example();
    let network = Memory::of(&[&zone]);
    let settings = Settings {
        max_in_flight: 2,
        ..network.settings()
    };
    for _ in 0..2 {
        zone.fault("example.test", Over::Udp, Fault::Late(milliseconds(100)));
    }
    let dns = Dns::start(settings, network);
    // So that the sockets are open.
    drop(ask(&dns, question("www.example.test", Kind::A)).await);
    let outcomes = tokio::join!(ask(&dns, a()), ask(&dns, a()), fail(&dns, a()));
    assert!(matches!(outcomes.2, DnsError::Busy));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_ends_its_query() {
    let zone = Zone::example();
    for _ in 0..3 {
        zone.fault("example.test", Over::Udp, Fault::Lose);
    }
    let dns = Memory::of(&[&zone]).start();
    let asked = dns.ask(a()).limit(milliseconds(1500)).await;
    assert!(
        matches!(asked, Err(CallError::TimedOut { .. })),
        "{asked:?}"
    );
    sleep(Duration::from_secs(5)).await;
    let counts = counts(&dns).await;
    assert_eq!(
        (counts.given_up, counts.sent, counts.quarantined),
        (1, 2, 1)
    );
}

#[test]
fn a_query_is_written_as_every_server_reads_it() {
    let query = Message::query(0x1234, a()).encode().expect("it is short");
    assert_eq!(query[..12], [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
}
