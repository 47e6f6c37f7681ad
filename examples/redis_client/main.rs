//! `cargo run --example redis_client`: a client that outlives the outages of its server, shown at
//! work.
//!
//! Without arguments it starts a small server in the same process, sends traffic from eight tasks
//! and takes the server down and up twice. With `--server HOST:PORT` it sends the same traffic to a
//! real Redis, which it cannot take down: do that yourself meanwhile.

use std::error::Error;
use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use statem::Backoff;
use statem_examples::redis_client::arguments::{Mode, USAGE, parse};
use statem_examples::redis_client::client::Redis;
use statem_examples::redis_client::server::{Server, Store};
use statem_examples::redis_client::timeline::Timeline;
use statem_examples::redis_client::traffic::{Tally, Traffic, now};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Tasks that send traffic.
const CALLERS: usize = 8;
/// How long each of them rests between two requests.
const PAUSE: Duration = Duration::from_millis(4);
/// How long the server hangs before it goes down.
const HANG: Duration = Duration::from_millis(200);
/// How long a recovery may take before the example calls it none.
const RECOVERY: Duration = Duration::from_secs(5);
/// How long the last request of each caller may take, and what it tidies up then: twice the limit of a
/// request, and a little more.
const FINISH: Duration = Duration::from_secs(12);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let mode = match parse(std::env::args().skip(1)) {
        Ok(mode) => mode,
        Err(why) => {
            eprintln!("redis_client: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if mode == Mode::Help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let code = match &runtime {
        Ok(runtime) => ended(runtime.block_on(run(mode))),
        Err(error) => ended(Err(error.to_string().into())),
    };
    if let Ok(runtime) = runtime {
        // What there was to say has been said, whatever is left to end.
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
    code
}

fn ended(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("redis_client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mode: Mode) -> Result<(), Failure> {
    let timeline =
        Timeline::new(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let tally = match mode {
        Mode::Real { address, time } => {
            timeline.server(format_args!(
                "{address}, for {time:?}; this program cannot take it down, but you can"
            ));
            let redis = start(&address)?;
            // A real server may forget everything in an outage; that is no mistake of the client.
            let traffic = Traffic::start(&redis, CALLERS, PAUSE, true);
            let _progress = progress(&timeline, &redis, &traffic);
            sleep(time).await;
            connected(&redis).await?;
            within(FINISH, "the callers have not finished", traffic.finish()).await?
        }
        Mode::Embedded | Mode::Help => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let server = Server::start(address, Store::default()).await?;
            timeline.server(format_args!("up at {}", server.address()));
            let redis = start(&server.address().to_string())?;
            // What this server was told outlives it, so every value is checked after an outage as
            // before.
            let traffic = Traffic::start(&redis, CALLERS, PAUSE, false);
            let _progress = progress(&timeline, &redis, &traffic);
            // The callers finish before the server goes.
            let _server = outages(&timeline, &redis, server).await?;
            within(FINISH, "the callers have not finished", traffic.finish()).await?
        }
    };
    report(&tally)
}

/// The outages of this example are short, so it does not wait for long before it tries again.
fn start(address: &str) -> Result<Redis, Failure> {
    let backoff = Backoff::default().cap(Duration::from_secs(1));
    let location = format!("redis://{address}").parse()?;
    Redis::start(&location, |client| client.backoff(backoff))
}

/// Takes the server down and up, twice.
async fn outages(
    timeline: &Timeline,
    redis: &Redis,
    mut server: Server,
) -> Result<Server, Failure> {
    for outage in [Duration::from_millis(1500), Duration::from_millis(2500)] {
        sleep(Duration::from_secs(2)).await;
        // So that each caller has a request in flight when the connection goes.
        timeline.server("hangs");
        server.hang();
        sleep(HANG).await;
        timeline.server(format_args!("down, for {outage:?}"));
        let address = server.address();
        let down = within(RECOVERY, "the server has not stopped", server.stop()).await?;
        let down = down.map_err(|error| format!("{address} was not kept: {error}"))?;
        sleep(outage).await;
        let up = down.start();
        server = up.map_err(|error| format!("no server at {address} again: {error}"))?;
        timeline.server("up");
        let up = now();
        connected(redis).await?;
        timeline.recovered(now() - up);
    }
    sleep(Duration::from_secs(2)).await;
    Ok(server)
}

/// Waits until the client is connected.
async fn connected(redis: &Redis) -> Result<(), Failure> {
    let ready = redis.client().ready();
    let ready = within(RECOVERY, "the client has not connected", ready).await?;
    ready.map_err(|reason| reason.to_string().into())
}

/// Waits for what must not take longer than this.
async fn within<T>(
    limit: Duration,
    missing: &str,
    done: impl Future<Output = T>,
) -> Result<T, Failure> {
    let done = timeout(limit, done).await;
    done.map_err(|_| format!("{missing} within {limit:?}").into())
}

/// Prints what happens. Ends when it is dropped.
fn progress(timeline: &Timeline, redis: &Redis, traffic: &Traffic) -> JoinSet<()> {
    let (timeline, redis, tally) = (timeline.clone(), redis.clone(), traffic.tally());
    let mut task = JoinSet::new();
    task.spawn(async move { timeline.follow(&redis, &tally).await });
    task
}

/// What became of all requests; an error if any answer was not the right one.
fn report(tally: &Tally) -> Result<(), Failure> {
    println!(
        "\nsent {}, answered {}, failed {}, mismatched {}",
        tally.sent,
        tally.answered,
        tally.failures(),
        tally.mismatched
    );
    for (reason, count) in &tally.failed {
        println!("  {count:>6} failed: {reason}");
    }
    println!("  slowest outcome after {:.0?}", tally.slowest);
    match &tally.first_mismatch {
        Some(what) => Err(format!("replies were mixed up, the first one: {what}").into()),
        None if tally.answered == 0 => Err("no request was answered".into()),
        None => Ok(()),
    }
}
