//! How a server ends.

use std::io::ErrorKind;
use std::time::Duration;

use statem::net::{Accepted, AtLimit, Server};
use statem::{Builder, ExitReason, Status};
use tokio::time::timeout;

use crate::support::{Door, Marks, balanced, echo, ms, now, rest, server, tasks};

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_each_machine_say_goodbye() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut clients: Vec<_> = (0..10).map(|_| door.knock()).collect();
    for client in &mut clients {
        assert!(client.is_served().await);
    }
    let ended = tokio::spawn({
        let server = server.clone();
        async move { server.shutdown(Duration::from_secs(10)).await }
    });
    rest().await;
    assert!(door.is_closed(), "nobody is accepted any more");
    assert!(matches!(server.status(), Status::Running("Draining")));
    for client in &mut clients {
        assert_eq!(client.hear().await.as_deref(), Some("goodbye"));
    }
    drop(clients);
    let reason = timeout(ms(10), ended).await.expect("all have ended");
    assert!(matches!(reason, Ok(ExitReason::Normal)));
    let counts = balanced(&server).await;
    assert_eq!((counts.started, counts.ended), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_machines_that_stay_are_stopped_and_the_server_ends() {
    let (door, marks) = (Door::default(), Marks::default());
    let server = server(&door, &marks).start();
    let mut client = door.knock();
    assert_eq!(client.ask("stay").await.as_deref(), Some("stay"));
    let before = now();
    server.shutdown(Duration::from_secs(3)).await;
    assert_eq!((now() - before).as_secs(), 3);
    assert_eq!(marks.take(), ["it was shut down"], "`terminate` was called");
    assert_eq!(client.hear().await, None);
    let counts = balanced(&server).await;
    assert_eq!((counts.ended, counts.failed), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_even_then_is_cut_off() {
    let (door, marks) = (Door::default(), Marks::default());
    let moved = marks.clone();
    // The handle is that of a machine which nobody runs: nothing reaches the one that is run.
    let server = Server::builder(door.listener(), move |accepted: Accepted| {
        let (near, _) = tokio::io::duplex(1);
        let (handle, _) = echo(&moved, Box::new(near));
        let (other, driver) = echo(&moved, accepted.io);
        other.detach();
        (handle, driver)
    });
    let server = server.start();
    let mut client = door.knock();
    assert!(client.is_served().await);
    let before = now();
    server.shutdown(Duration::from_secs(3)).await;
    assert_eq!((now() - before).as_secs(), 4, "one more than it was given");
    assert_eq!(client.hear().await, None);
    rest().await;
    let counts = balanced(&server).await;
    assert_eq!((counts.ended + counts.failed, counts.open()), (1, 0));
}

#[tokio::test(start_paused = true)]
pub(crate) async fn a_server_can_be_shut_down_in_each_state() {
    for state in ["Listening", "Full", "Paused", "Draining", "Stopped"] {
        let (door, marks) = (Door::default(), Marks::default());
        let server = server(&door, &marks).limit(1).start();
        let mut client = None;
        rest().await;
        match state {
            "Full" => {
                let mut there = door.knock();
                assert!(there.is_served().await);
                client = Some(there);
            }
            "Paused" => {
                door.fail(Some(ErrorKind::Other));
                rest().await;
            }
            "Draining" => {
                let mut there = door.knock();
                assert!(there.is_served().await);
                client = Some(there);
                // The request stays in force.
                let asked = timeout(ms(1), server.shutdown(ms(200))).await;
                assert!(asked.is_err());
            }
            "Stopped" => {
                server.shutdown(ms(1)).await;
            }
            _ => {}
        }
        match server.status() {
            Status::Running(name) => assert_eq!(name, state),
            Status::Stopped(_) => assert_eq!(state, "Stopped"),
            other => panic!("{other:?}"),
        }
        let ended = timeout(ms(400), server.shutdown(ms(200))).await;
        assert!(matches!(ended, Ok(ExitReason::Normal)), "{state}");
        assert!(door.is_closed(), "{state}");
        assert_eq!(marks.alive(), 0, "{state}");
        balanced(&server).await;
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_an_event_for_it_is_stopped() {
    /// Does nothing.
    #[derive(statem::StateMachine)]
    #[machine(event = ())]
    enum Idle {
        #[initial]
        Waiting,
    }

    impl statem::Handler for Idle {
        fn handle(
            _: IdleAt<'_>,
            (): (),
            (): &mut (),
            _: &mut statem::Cx<Self>,
        ) -> statem::Next<Self> {
            statem::keep()
        }
    }

    let door = Door::default();
    let server = Server::builder(door.listener(), |_: Accepted| {
        Builder::<Idle>::new().build(Waiting, ())
    });
    let server = server.start();
    let _client = door.knock();
    rest().await;
    assert_eq!(server.counts().open(), 1);
    let before = now();
    server.shutdown(Duration::from_secs(60)).await;
    assert_eq!(now(), before);
    assert_eq!(balanced(&server).await.ended, 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_takes_the_server_its_connections_and_their_tasks_with_it() {
    let before = tasks();
    for way in ["drop", "kill"] {
        let (door, marks) = (Door::default(), Marks::default());
        let server = server(&door, &marks).at_limit(AtLimit::Refuse).start();
        let mut clients: Vec<_> = (0..5).map(|_| door.knock()).collect();
        for client in &mut clients {
            assert!(client.is_served().await);
        }
        assert_eq!(tasks(), before + 6);
        let another = server.clone();
        drop(server);
        rest().await;
        assert!(clients[0].is_served().await, "there is another handle");
        if way == "kill" {
            another.kill();
            rest().await;
            assert_eq!(balanced(&another).await.failed, 5);
        }
        drop(another);
        rest().await;
        assert_eq!(tasks(), before, "{way}");
        assert_eq!(marks.alive(), 0);
        assert!(door.is_closed());
        for client in &mut clients {
            assert_eq!(client.hear().await, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_lives_without_a_handle_of_the_users() {
    let (door, marks) = (Door::default(), Marks::default());
    let _server = server(&door, &marks).start();
    let mut client = door.knock();
    assert!(client.is_served().await);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(client.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn when_the_end_of_a_server_is_told_its_connections_are_gone() {
    for way in ["kill", "shutdown"] {
        let (door, marks) = (Door::default(), Marks::default());
        let server = server(&door, &marks).start();
        let mut clients: Vec<_> = (0..100).map(|_| door.knock()).collect();
        for client in &mut clients {
            assert!(client.is_served().await);
        }
        // One is the closure's.
        assert_eq!(marks.alive(), 100 + 1);
        let before = now();
        if way == "kill" {
            server.kill();
            assert!(matches!(server.closed().await, ExitReason::Killed));
        } else {
            server.shutdown(Duration::ZERO).await;
        }
        assert_eq!(now(), before, "{way}");
        assert_eq!((marks.alive(), server.counts().open()), (0, 0), "{way}");
        assert_eq!(server.counts().accepted, 100);
        server.closed().await;
    }
}

#[test]
fn a_connection_that_blocks_its_thread_does_not_keep_the_end_from_being_told() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let (release, blocks) = std::sync::mpsc::channel::<()>();
    let blocks = std::sync::Mutex::new(blocks);
    let (entered, has_entered) = std::sync::mpsc::channel();
    let (door, marks) = (Door::default(), Marks::default());
    runtime.block_on(async {
        let own = marks.clone();
        let server = Server::builder(door.listener(), move |accepted: Accepted| {
            entered.send(()).unwrap();
            // Until the test lets go of it.
            let _ = blocks.lock().unwrap().recv();
            echo(&own, accepted.io)
        })
        .start();
        let _client = door.knock();
        tokio::task::spawn_blocking(move || has_entered.recv().unwrap())
            .await
            .unwrap();
        server.kill();
        let told = timeout(Duration::from_secs(60), server.closed()).await;
        assert!(matches!(told, Ok(ExitReason::Killed)));
        assert_eq!(server.counts().open(), 1);
        drop(release);
    });
}

#[tokio::test(start_paused = true)]
#[expect(
    unused_must_use,
    reason = "the compiler says that the server ends at once"
)]
async fn a_server_that_nobody_keeps_ends_at_once_and_the_compiler_says_so() {
    let (door, marks) = (Door::default(), Marks::default());
    server(&door, &marks).start();
    rest().await;
    assert!(door.is_closed());
}
