//! The typed client: an event enum's calls and casts as methods.

use std::error::Error;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use statem::{
    Bound, Builder, CallError, CastErrorKind, Client, Cx, ExitReason, Handler, Next, Reply,
    Request, StateMachine, keep, spawn,
};
use tokio::time::Instant;

use store::Store;

/// What people deny in their own code the derived code does not do; and nothing of the machine but
/// its client is public.
#[deny(warnings, missing_docs, clippy::pedantic, clippy::nursery)]
#[deny(missing_debug_implementations, unreachable_pub, single_use_lifetimes)]
pub mod store {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use statem::{
        Builder, Client, Cx, ExitReason, Handler, Next, Reply, StateMachine, keep, postpone, stop,
    };

    #[derive(StateMachine)]
    #[machine(event = Event, data = BTreeMap<String, u32>)]
    enum Keeper {
        #[initial]
        #[to(Closed)]
        Open,
        #[to(Open)]
        Closed,
    }

    /// The store has no room for more.
    #[derive(Debug, PartialEq, Eq)]
    pub struct NoRoom;

    #[derive(Client)]
    #[client(machine = Keeper, name = pub Store)]
    enum Event {
        /// The value of a key.
        #[call(limit = Duration::from_secs(2))]
        Get {
            key: String,
            reply: Reply<Option<u32>>,
        },
        /// Puts a value under a key, and gives the one that was there.
        #[call]
        Put {
            reply: Reply<Option<u32>, NoRoom>,
            key: String,
            value: u32,
        },
        #[call]
        Len(Reply<usize>),
        /// Waits for a while.
        #[call(limit = value + Duration::from_millis(100))]
        Rest(Duration, Reply<()>),
        /// Forgets a key.
        #[cast]
        Forget {
            key: String,
        },
        #[cast]
        Clear,
        /// Nothing is answered until the store is opened.
        #[cast]
        Close(),
        /// Everything is answered from here on.
        #[cast]
        Open {},
        /// Ends the store after this many.
        #[cast]
        End(u32),
        Rested(Reply<()>),
    }

    impl Handler for Keeper {
        fn handle(
            state: KeeperAt<'_>,
            event: Event,
            values: &mut BTreeMap<String, u32>,
            cx: &mut Cx<Self>,
        ) -> Next<Self> {
            match (state, event) {
                (KeeperAt::Closed(s), Event::Open {}) => return s.go(Open),
                (KeeperAt::Closed(_), event) => return postpone(event),
                (KeeperAt::Open(s), Event::Close()) => return s.go(Closed),
                (_, Event::Get { key, reply }) => {
                    let _ = reply.send(values.get(&key).copied());
                }
                (_, Event::Put { reply, .. }) if values.len() == 2 => {
                    let _ = reply.fail(NoRoom);
                }
                (_, Event::Put { key, value, reply }) => {
                    let _ = reply.send(values.insert(key, value));
                }
                (_, Event::Len(reply)) => {
                    let _ = reply.send(values.len());
                }
                (_, Event::Rest(time, reply)) => cx.state_timeout(time, Event::Rested(reply)),
                (_, Event::Rested(reply)) => {
                    let _ = reply.send(());
                }
                (_, Event::Forget { key }) => {
                    values.remove(&key);
                }
                (_, Event::Clear) => values.clear(),
                (_, Event::End(count)) => {
                    return stop(ExitReason::other(format!("the end of {count}")));
                }
                (_, Event::Open {}) => {}
            }
            keep()
        }
    }

    impl Store {
        /// An open store, with room for so many requests while it is closed.
        #[must_use]
        pub fn start(postponed: usize) -> Self {
            Builder::new()
                .postponed(postponed)
                .spawn(Open, BTreeMap::new())
                .into()
        }

        /// Ends the store.
        pub async fn stop(&self) -> ExitReason {
            self.handle.stop().await
        }

        /// Waits for the end of the store.
        pub fn ended(&self) -> statem::Closed {
            self.handle.closed()
        }
    }
}

const KEY: &str = "one";

fn key() -> String {
    KEY.to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the paused clock, which the machine has too"
)]
fn now() -> Instant {
    Instant::now()
}

/// Polls once, which sends it.
async fn send(request: impl Future) -> bool {
    let mut request = pin!(request);
    poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx).is_ready())).await
}

#[tokio::test]
async fn a_call_gives_what_the_machine_answers() {
    let store = Store::start(8);
    assert!(matches!(store.put(key(), 1).await, Ok(None)));
    assert!(matches!(store.get(key()).await, Ok(Some(1))));
    assert!(matches!(store.get("two".into()).await, Ok(None)));
    assert!(matches!(store.put("two".into(), 2).await, Ok(None)));
    let refused = store.put("three".into(), 3).await;
    assert!(matches!(refused, Err(CallError::Failed(store::NoRoom))));
    assert!(matches!(store.len().await, Ok(2)));
}

#[tokio::test]
async fn a_cast_is_handled_before_what_is_sent_after_it() -> Result<(), Box<dyn Error>> {
    let store = Store::start(8);
    assert!(store.put(key(), 1).await.is_ok());
    store.put("two".into(), 2).await.map_err(|_| "no room")?;
    store.forget(key()).await?;
    assert_eq!(store.len().await?, 1);
    store.clear().await?;
    assert_eq!(store.len().await?, 0);
    Ok(())
}

/// How long a request waits for an answer that does not come.
async fn waits<T, E>(request: impl Request<T, E>) -> Duration {
    let start = now();
    let Err(error) = request.await else {
        panic!("a closed store answers nothing")
    };
    assert!(matches!(error, CallError::TimedOut { begun: false, .. }));
    now() - start
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_that_of_the_call_or_of_the_attribute_or_of_the_machine() {
    let (second, store) = (Duration::from_secs(1), Store::start(8));
    store.close().await.unwrap();
    assert_eq!(waits(store.len()).await, 5 * second);
    assert_eq!(waits(store.get(key())).await, 2 * second);
    assert_eq!(waits(store.get(key()).limit(3 * second)).await, 3 * second);
    assert_eq!(waits(store.len().limit(second)).await, second);
    let deadline = now() + 4 * second;
    let request = store.get(key()).deadline(deadline);
    tokio::time::advance(second).await;
    assert_eq!(waits(request).await, 3 * second);
}

#[tokio::test(start_paused = true)]
async fn a_limit_may_be_made_of_the_parameters() {
    let store = Store::start(8);
    // Longer than the machine's own limit.
    let rest = Duration::from_secs(60);
    assert!(store.rest(rest).await.is_ok());
    assert!(matches!(
        store.rest(rest).limit(rest / 2).await,
        Err(CallError::TimedOut { begun: true, .. })
    ));
}

#[tokio::test]
async fn a_request_that_is_not_awaited_is_not_sent() {
    let store = Store::start(8);
    drop(store.put(key(), 1));
    drop(store.close());
    assert!(matches!(store.len().await, Ok(0)));
}

#[tokio::test]
async fn a_request_that_is_dropped_is_given_up() {
    let store = Store::start(8);
    store.close().await.unwrap();
    assert!(!send(store.put(key(), 1)).await);
    store.open().await.unwrap();
    assert!(matches!(store.len().await, Ok(0)));
}

#[tokio::test]
async fn requests_wait_side_by_side() {
    let store = Store::start(8);
    store.close().await.unwrap();
    let (put, got, opened) = tokio::join!(store.put(key(), 1), store.get(key()), store.open());
    assert!(matches!(put, Ok(None)));
    assert!(matches!(got, Ok(Some(1))));
    assert!(opened.is_ok());
}

#[tokio::test]
async fn a_request_that_finds_no_room_is_told_so() {
    let store = Store::start(1);
    store.close().await.unwrap();
    let mut first = pin!(store.get(key()));
    assert!(!send(first.as_mut()).await);
    let second = store.get(key()).await;
    assert!(matches!(
        second,
        Err(CallError::Full {
            what: Bound::Postponed,
            ..
        })
    ));
    store.open().await.unwrap();
    assert!(matches!(first.await, Ok(None)));
}

#[tokio::test]
async fn a_client_of_a_machine_that_has_ended_is_told_why() {
    let store = Store::start(8);
    store.end(7).await.unwrap();
    let ended = store.get(key()).await;
    assert!(matches!(
        ended,
        Err(CallError::Stopped {
            begun: false,
            reason: ExitReason::Other(_),
            ..
        })
    ));
    let error = store.forget(key()).await.unwrap_err();
    assert!(matches!(error, CastErrorKind::Stopped(_)));
    assert_eq!(error.source().unwrap().to_string(), "the end of 7");
    assert_eq!(
        error.to_string(),
        "the machine has stopped: it stopped with an error: the end of 7; the event was not sent"
    );
}

#[tokio::test(start_paused = true)]
async fn clones_are_clients_of_one_machine_which_ends_with_the_last() {
    let store = Store::start(8);
    let other = store.clone();
    assert!(matches!(store.put(key(), 1).await, Ok(None)));
    let ended = store.ended();
    drop(store);
    assert!(matches!(other.get(key()).await, Ok(Some(1))));
    drop(other);
    let ended = tokio::time::timeout(Duration::from_secs(1), ended).await;
    assert!(matches!(ended, Ok(ExitReason::Normal)));
}

#[tokio::test]
async fn a_client_shows_its_machine() {
    let store = Store::start(8);
    assert!(store.len().await.is_ok());
    assert_eq!(
        format!("{store:?}"),
        "Store { handle: Handle { machine: \"Keeper\", status: Running(\"Open\") } }"
    );
    assert!(matches!(store.stop().await, ExitReason::Normal));
}

#[tokio::test]
async fn a_request_goes_to_another_task() {
    let store = Store::start(8);
    let task = tokio::spawn(async move {
        store.put(key(), 1).limit(Duration::from_secs(9)).await?;
        store.forget("two".into()).await.expect("the store is open");
        store
            .len()
            .await
            .map_err(|_| CallError::Failed(store::NoRoom))
    });
    assert!(matches!(task.await, Ok(Ok(1))));
}

/// What a caller sees of a client has no name of the machine.
fn cell(store: &Store) -> impl Request<Option<u32>> + '_ {
    store.get(key()).limit(Duration::from_millis(1))
}

#[tokio::test(start_paused = true)]
async fn a_request_can_be_passed_on() {
    let store = Store::start(8);
    store.close().await.unwrap();
    assert_eq!(waits(cell(&store)).await, Duration::from_millis(1));
}

/// Holds a value of any type, also of one that cannot be sent to another thread.
#[derive(StateMachine)]
#[machine(event = Asked<T, N>)]
enum Cell<T: Clone + Send + 'static, const N: usize> {
    #[initial]
    #[to(Holding)]
    Holding(Holding<T, N>),
}

struct Holding<T, const N: usize>([T; N]);

#[derive(Client)]
#[client(machine = Cell<T, N>)]
enum Asked<T = u8, const N: usize = 1>
where
    T: Clone + Send + 'static,
{
    #[call]
    Swap {
        place: usize,
        value: T,
        reply: Reply<T>,
    },
    #[cast]
    Fill(T),
}

impl<T: Clone + Send + 'static, const N: usize> Handler for Cell<T, N> {
    fn handle(
        state: CellAt<'_, T, N>,
        event: Asked<T, N>,
        (): &mut (),
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let CellAt::Holding(mut cell) = state;
        match event {
            Asked::Swap {
                place,
                value,
                reply,
            } => {
                let old = std::mem::replace(&mut cell.0[place], value);
                let _ = reply.send(old);
            }
            Asked::Fill(value) => cell.0.fill(value),
        }
        keep()
    }
}

#[tokio::test]
async fn a_client_has_the_parameters_of_its_event() {
    let words: CellClient<String, 2> = spawn(Holding([key(), key()]), ()).into();
    words.fill("two".into()).await.unwrap();
    assert_eq!(words.swap(1, key()).await.unwrap(), "two");
    let byte: CellClient = spawn(Holding([1]), ()).into();
    assert_eq!(byte.swap(0, 2).await.unwrap(), 1);
}

/// Its events cannot be sent to another thread.
#[derive(StateMachine)]
#[machine(event = Local)]
enum Here {
    #[initial]
    #[to(Only)]
    Only,
}

#[derive(Client)]
#[client(machine = Here)]
enum Local {
    #[call]
    Count { of: Rc<()>, reply: Reply<usize> },
}

impl Handler for Here {
    fn handle(
        _: HereAt<'_>,
        Local::Count { of, reply }: Local,
        (): &mut (),
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let _ = reply.send(Rc::strong_count(&of));
        keep()
    }
}

#[tokio::test]
async fn a_machine_that_stays_on_its_thread_has_a_client() {
    let (handle, driver) = Builder::new().build(Only, ());
    let here = HereClient::from(handle);
    let of = Rc::new(());
    let (count, ended) = tokio::join!(
        async {
            let count = here.count(of.clone()).await;
            drop(here);
            count
        },
        driver.run()
    );
    assert!(matches!(count, Ok(2)));
    assert!(matches!(ended, ExitReason::Normal));
}

#[test]
fn a_request_allocates_what_a_call_does() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let handle = spawn::<Cell<u8, 1>>(Holding([0]), ());
        let client = CellClient::from(handle.clone());
        for _ in 0..100 {
            client.swap(0, 1).await.unwrap();
        }
        let by_handle = allocations(async || {
            let swap = |reply| Asked::Swap {
                place: 0,
                value: 1,
                reply,
            };
            handle
                .call(swap)
                .limit(Duration::from_secs(1))
                .await
                .unwrap();
            handle.cast(Asked::Fill(2)).await.unwrap();
        });
        let by_client = allocations(async || {
            client
                .swap(0, 1)
                .limit(Duration::from_secs(1))
                .await
                .unwrap();
            client.fill(2).await.unwrap();
        });
        assert_eq!((by_handle.await, by_client.await), (1000, 1000));
    });
}

/// The allocations of a thousand rounds, in what they are polled.
async fn allocations(mut round: impl AsyncFnMut()) -> u64 {
    let mut rounds = pin!(async {
        for _ in 0..1000 {
            round().await;
        }
    });
    let mut count = 0;
    poll_fn(|cx| {
        let mut polled = Poll::Pending;
        let measured = allocation_counter::measure(|| polled = rounds.as_mut().poll(cx));
        count += measured.count_total;
        polled
    })
    .await;
    count
}
