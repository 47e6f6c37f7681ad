//! A client that shows what it and the server say.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use statem::net::{Io, Tls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The client's side of a session.
pub struct Dialogue {
    io: BufReader<Box<dyn Io>>,
}

impl Dialogue {
    /// Connects, and hears the server's first words.
    ///
    /// # Errors
    ///
    /// When there is no server, or it goes without a word.
    pub async fn begin(server: SocketAddr) -> io::Result<Self> {
        let socket: Box<dyn Io> = Box::new(TcpStream::connect(server).await?);
        let io = BufReader::new(socket);
        let mut dialogue = Dialogue { io };
        dialogue.hear().await?;
        Ok(dialogue)
    }

    /// Says something, shows its lines, and hears one reply.
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn say(&mut self, words: &str) -> io::Result<()> {
        for line in words.lines() {
            println!("  C: {line}");
        }
        self.send(words).await?;
        self.hear().await
    }

    /// Says something that is not shown, and hears one reply.
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn say_silently(&mut self, what: &str, words: &str) -> io::Result<()> {
        println!("  C: ({what})");
        self.send(words).await?;
        self.hear().await
    }

    /// Hears one reply and shows it.
    ///
    /// # Errors
    ///
    /// When the connection ends before it.
    pub async fn hear(&mut self) -> io::Result<()> {
        loop {
            let mut line = String::new();
            let read = self.io.read_line(&mut line).await;
            if read.is_err() || !line.ends_with("\r\n") {
                println!("  S: (closes the connection)");
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            println!("  S: {}", line.trim_end());
            // All lines of a reply but its last have a dash behind the code.
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }

    /// Goes on in TLS.
    ///
    /// # Errors
    ///
    /// When the server has said more than it should have, or is not the one that is trusted.
    pub async fn secure(self, tls: &Tls) -> Result<Self, Box<dyn Error>> {
        if !self.io.buffer().is_empty() {
            return Err("the server has said more in plain text than was asked for".into());
        }
        let io = tls.connect(self.io.into_inner(), "").await?;
        println!("     (both go on over TLS)");
        let io = BufReader::new(io);
        Ok(Dialogue { io })
    }

    async fn send(&mut self, words: &str) -> io::Result<()> {
        let lines = words.lines().flat_map(|line| [line, "\r\n"]);
        let bytes: String = lines.collect();
        self.io.write_all(bytes.as_bytes()).await?;
        self.io.flush().await
    }
}
