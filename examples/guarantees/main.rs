//! What a start promises: the same client under the same supervisor, started the wrong way and the
//! right way, while its server is down. `cargo run --example guarantees`

use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use statem::supervisor::{Spec, Strategy, Supervisor, Tree};
use statem::{Backoff, CallError, Cx, Handle, Handler, Next, Reply, StateMachine, Status, keep};
use statem_examples::arguments;
use statem_examples::guarantees::{eager, patient};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const PURPOSE: &str = "\
Shows a supervised client whose server is down: first one that must be connected to have started,
which takes the whole tree down, then one that starts disconnected, which does not. Ends by itself.";

/// A part of the program that has nothing to do with the network.
#[derive(StateMachine)]
#[machine(event = Reply<&'static str>)]
enum Greeter {
    #[initial]
    #[to()]
    Ready,
}

impl Handler for Greeter {
    fn handle(
        _: GreeterAt<'_>,
        reply: Reply<&'static str>,
        (): &mut (),
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        let _ = reply.send("good morning");
        keep()
    }
}

/// A shop allows three restarts within five seconds.
fn shop() -> (Supervisor, Handle<Greeter>) {
    let mut shop =
        Supervisor::new("shop", Strategy::OneForOne).intensity(3, Duration::from_secs(5));
    let greeter = shop.child(Spec::<Greeter>::new("greeter", || (Ready, ())));
    (shop, greeter)
}

async fn the_wrong_way(address: &str) -> Result<(), Box<dyn Error>> {
    println!("The wrong way: to start is to be connected. The server is down.\n");
    let (mut shop, greeter) = shop();
    let (address, mut life) = (address.to_owned(), 0);
    let prices = shop.child(Spec::<eager::Eager>::new("prices", move || {
        life += 1;
        println!("  prices   starts, life {life}, and dials");
        (eager::Dialling, address.clone())
    }));
    let shop = shop.spawn();
    println!("  shop     {}", shop.closed().await);
    for (name, status) in [("prices", prices.status()), ("greeter", greeter.status())] {
        match status {
            Status::Stopped(reason) => println!("  {name:8} is gone: {reason}"),
            other => return Err(format!("`{name}` outlived its supervisor: {other:?}").into()),
        }
    }
    println!("  Nobody is left to notice when the server comes back.\n");
    Ok(())
}

async fn the_right_way(address: &str) -> Result<(), Box<dyn Error>> {
    println!("The right way: to start is to be able to answer. The server is down.\n");
    let (mut shop, greeter) = shop();
    let of_prices = address.to_owned();
    let prices = shop.child(Spec::<patient::Patient>::new("prices", move || {
        println!("  prices   starts, offline");
        let backoff = Backoff::default().cap(Duration::from_millis(200));
        let address = of_prices.clone();
        (patient::Offline, patient::Client { address, backoff })
    }));
    let shop = shop.spawn();
    shop.ready().await?;
    println!("  shop     is ready");
    println!("  greeter  says {:?}", greeter.call(|reply| reply).await?);
    for life in ["comes up", "is up again"] {
        wait_for(&prices, false).await?;
        println!("  server   {life}");
        let mut server = serve(address).await?;
        wait_for(&prices, true).await?;
        println!("  server   goes down");
        server.shutdown().await;
    }
    wait_for(&prices, false).await?;
    for line in shop.report().await?.to_string().lines() {
        println!("  {line}");
    }
    println!("  shop     is told to stop: {}", shop.stop().await);
    restarts_of(&prices, &shop)
}

/// Asks until the answer is what is expected, and shows that one.
async fn wait_for(prices: &Handle<patient::Patient>, online: bool) -> Result<(), Box<dyn Error>> {
    for _ in 0..500 {
        let price = prices.call(|reply| patient::Event::Price("tea".into(), reply));
        match price.await {
            Ok(price) if online => {
                println!("  prices   says {price:?}");
                return Ok(());
            }
            Err(CallError::Failed(error)) if !online => {
                println!("  prices   says that {error}");
                return Ok(());
            }
            // The connection is lost while it is asked, or is not there yet.
            Ok(_) | Err(CallError::Failed(_) | CallError::NotAnswered { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the client did not notice the server within five seconds".into())
}

fn restarts_of(prices: &Handle<patient::Patient>, shop: &Tree) -> Result<(), Box<dyn Error>> {
    match prices.restarts() + shop.restarts() {
        0 => Ok(()),
        restarts => Err(format!("{restarts} restarts for want of a server").into()),
    }
}

/// A server that tells the price of anything, until it is dropped.
async fn serve(address: &str) -> io::Result<JoinSet<io::Result<()>>> {
    let listener = TcpListener::bind(address).await?;
    let mut server = JoinSet::new();
    server.spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await?;
            let (read, mut write) = socket.split();
            let mut lines = BufReader::new(read).lines();
            while let Some(thing) = lines.next_line().await? {
                write
                    .write_all(format!("{thing} is 2 euros\n").as_bytes())
                    .await?;
            }
        }
    });
    Ok(server)
}

async fn run() -> Result<(), Box<dyn Error>> {
    // Free again when this line has been run, and so refused.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let address = address.to_string();
    the_wrong_way(&address).await?;
    the_right_way(&address).await
}

fn main() -> ExitCode {
    arguments::none("guarantees", PURPOSE);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guarantees: {error}");
            ExitCode::FAILURE
        }
    }
}
