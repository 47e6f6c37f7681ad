//! The smallest client that survives: it reconnects with back-off, keeps what is asked meanwhile,
//! and matches replies to callers. `cargo run --example line_client`
use std::{collections::VecDeque, io, time::Duration};

use statem::net::{Lines, Link, LinkEvent};
use statem::{Client, Cx, EnterCx, Handler, Next, Reply, StateMachine};
use statem::{keep, postpone, spawn, unexpected};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(StateMachine)]
#[machine(event = Event, data = Peer)]
enum Line {
    #[initial]
    #[to(Connecting = "back-off over")]
    Disconnected,
    #[to(Connected = "dialled", Disconnected = "refused or too late")]
    Connecting,
    #[to(Disconnected = "lost")]
    Connected(Connected),
}

struct Connected {
    link: Link<Lines>,
    asked: VecDeque<Reply<String>>,
}

struct Peer {
    address: String,
    failures: u32,
}

#[derive(Client)]
#[client(machine = Line)]
enum Event {
    #[call]
    Ask(String, Reply<String>),
    Retry,
    Dialled(io::Result<TcpStream>),
    TooLate,
    Link(LinkEvent<String>),
}

impl Handler for Line {
    fn enter(&mut self, peer: &mut Peer, cx: &mut EnterCx<Self>) {
        match self {
            Self::Disconnected => {
                let longest = Duration::from_millis(100 << peer.failures.min(7));
                peer.failures += 1; // until an answer comes
                cx.state_timeout(longest.mul_f64(fastrand::f64()), Event::Retry);
            }
            Self::Connecting => {
                cx.state_task(TcpStream::connect(peer.address.clone()), Event::Dialled);
                cx.state_timeout(Duration::from_secs(5), Event::TooLate);
            }
            Self::Connected(_) => {}
        }
    }

    fn handle(state: LineAt<'_>, event: Event, peer: &mut Peer, cx: &mut Cx<Self>) -> Next<Self> {
        use {Event as E, LineAt as S};
        match (state, event) {
            (S::Disconnected(s), E::Retry) => s.go(Connecting),
            (S::Connecting(s), E::Dialled(Ok(io))) => s.go(Connected {
                link: Link::open(io, Lines::new(1024), cx, E::Link),
                asked: VecDeque::new(),
            }),
            (S::Connecting(s), E::Dialled(Err(_)) | E::TooLate) => s.go(Disconnected),
            (S::Connected(mut s), E::Ask(line, reply)) => {
                if s.link.send(line).is_ok() {
                    s.asked.push_back(reply);
                }
                keep()
            }
            (S::Connected(mut s), E::Link(LinkEvent::Frame(line))) => {
                peer.failures = 0;
                drop(s.asked.pop_front().map(|reply| reply.send(line)));
                keep()
            }
            (S::Connected(s), E::Link(LinkEvent::Closed(_))) => s.go(Disconnected),
            (_, event @ E::Ask(..)) => postpone(event), // until there is a connection
            (_, event) => unexpected(event),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    statem_examples::arguments::none("line_client", "Asks a server that goes away twice.");
    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let address = free.to_string();
    let peer = Peer {
        address: address.clone(),
        failures: 0,
    };
    let client = LineClient::from(spawn(Disconnected, peer));

    // For the first half of a second there is no server, and for another half after "bye".
    let outages = async {
        for _ in 0..2 {
            serve(&address, Duration::from_millis(500)).await?;
        }
        io::Result::Ok(())
    };
    let asks = async {
        for line in ["hello", "still there?", "bye", "back again?", "bye"] {
            match client.ask(line.to_owned()).await {
                Ok(answer) => println!("{line}: {answer}"),
                Err(error) => println!("{line}: {error}"),
            }
        }
    };
    tokio::join!(outages, asks).0?;
    Ok(())
}

/// A server of one connection: answers in capitals, and goes away at "bye" without a word.
async fn serve(address: &str, after: Duration) -> io::Result<()> {
    tokio::time::sleep(after).await;
    let (mut socket, _) = TcpListener::bind(address).await?.accept().await?;
    let (read, mut write) = socket.split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await?.filter(|line| line != "bye") {
        let answer = line.to_uppercase() + "\n";
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
