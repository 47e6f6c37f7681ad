//! Some members who show what the chat does.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use super::guest::Guest;
use super::{Chat, DRAIN, listen};

/// What the operating system keeps for somebody who reads.
const READER: u32 = 64 * 1024;
/// And for somebody who does not.
const SLOW: u32 = 4 * 1024;
/// What is said while somebody does not read: lines, of so many bytes.
const TALE: usize = 2_000;
const LENGTH: usize = 400;

/// Tells the story on standard output.
///
/// # Errors
///
/// Those of the operating system; and what did not go as it should.
pub async fn tell() -> Result<(), Box<dyn Error>> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?;
    let server = Chat::default().server(listener).start();

    println!("Two members:");
    let (mut ann, mut bob) = (
        Told::comes("ann", address).await?,
        Told::comes("bob", address).await?,
    );
    ann.ask("/nick ann").await?;
    bob.ask("/nick ann").await?;
    bob.ask("/nick bob").await?;
    ann.ask("/join den").await?;
    ann.hear().await?;
    bob.ask("/join den").await?;
    bob.hear().await?;
    ann.hear().await?;
    ann.ask("has anybody seen cy?").await?;
    bob.hear().await?;
    bob.ask("/who").await?;

    println!("\nA line that is too long:");
    let long = "x".repeat(2_000);
    bob.guest.say(&long).await?;
    println!("  bob  says  2,000 times x");
    bob.hear().await?;

    println!("\nOne who does not read, while ann tells a tale of {TALE} lines:");
    let mut cy = Guest::connect(address, SLOW).await?;
    cy.enter("cy", "den").await?;
    ann.hear().await?;
    bob.hear().await?;
    tokio::try_join!(tale(&mut ann.guest), listens(&mut bob.guest))?;
    println!("  ann  hears each of her lines, and bob all of them");
    let (heard, missed) = reads_again(&mut cy).await?;
    if heard + missed != TALE {
        return Err(format!("of {TALE} lines {heard} were heard and {missed} missed").into());
    }
    println!("  cy   hears {heard} of them, then * you read too slowly and missed {missed} lines");

    println!("\nThe server is shut down:");
    let (reason, heard) = tokio::join!(server.shutdown(DRAIN), async {
        ann.hear_last().await?;
        bob.hear_last().await?;
        // They close their connections.
        drop((ann, bob, cy));
        Ok::<_, io::Error>(())
    });
    heard?;
    let counts = server.counts();
    println!(
        "  server ends: {reason}; {} sessions, of which {} have ended well",
        counts.started, counts.ended
    );
    Ok(())
}

/// A guest whose words are shown.
struct Told {
    name: &'static str,
    guest: Guest,
}

impl Told {
    async fn comes(name: &'static str, address: SocketAddr) -> io::Result<Self> {
        let guest = Guest::connect(address, READER).await?;
        let mut told = Told { name, guest };
        told.hear().await?;
        Ok(told)
    }

    async fn ask(&mut self, line: &str) -> io::Result<()> {
        println!("  {:4} says  {line}", self.name);
        self.guest.say(line).await?;
        self.hear().await
    }

    /// The last line before the end; others that leave before may be heard of.
    async fn hear_last(&mut self) -> io::Result<()> {
        let mut last = String::new();
        while let Some(line) = self.guest.hear().await? {
            last = line;
        }
        println!("  {:4} hears {last}", self.name);
        Ok(())
    }

    async fn hear(&mut self) -> io::Result<()> {
        let line = self.guest.hear().await?;
        let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
        println!("  {:4} hears {line}", self.name);
        Ok(())
    }
}

fn line(number: usize) -> String {
    format!("{number:0LENGTH$}")
}

/// Says each line when the one before was heard.
async fn tale(ann: &mut Guest) -> io::Result<()> {
    for number in 0..TALE {
        ann.say(&line(number)).await?;
        ann.hears(&format!("<ann> {}", line(number))).await?;
    }
    Ok(())
}

async fn listens(bob: &mut Guest) -> io::Result<()> {
    for number in 0..TALE {
        bob.hears(&format!("<ann> {}", line(number))).await?;
    }
    Ok(())
}

/// How many lines were heard, and how many missed by the server's word.
async fn reads_again(cy: &mut Guest) -> io::Result<(usize, usize)> {
    for heard in 0..TALE {
        let line = cy.hear().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if let Some(rest) = line.strip_prefix("* you read too slowly and missed ") {
            let missed = rest.split(' ').next().and_then(|count| count.parse().ok());
            return Ok((heard, missed.ok_or(io::ErrorKind::InvalidData)?));
        }
        if line != format!("<ann> {}", self::line(heard)) {
            return Err(io::Error::other(format!(
                "{line:?} in place of line {heard}"
            )));
        }
    }
    Ok((TALE, 0))
}
