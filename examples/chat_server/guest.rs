//! A member of the example's own, and of its tests.

use std::io;
use std::net::SocketAddr;

use statem::net::Io;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpSocket;

/// The other end of a session.
pub struct Guest {
    io: BufReader<Box<dyn Io>>,
}

impl Guest {
    /// A guest with this byte stream to the server.
    #[must_use]
    pub fn new(io: Box<dyn Io>) -> Self {
        Guest {
            io: BufReader::with_capacity(1024, io),
        }
    }

    /// Connects. The operating system is to keep no more than this for a guest that does not read.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    pub async fn connect(address: SocketAddr, receive_buffer: u32) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(receive_buffer)?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Guest::new(Box::new(stream)))
    }

    /// Sends a line.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub async fn say(&mut self, line: &str) -> io::Result<()> {
        self.io.write_all(format!("{line}\n").as_bytes()).await
    }

    /// The next line, without its end; `None` when the server has closed the connection.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub async fn hear(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.io.read_line(&mut line).await?;
        if line.ends_with('\n') {
            line.pop();
        }
        Ok((read > 0).then_some(line))
    }

    /// Sends a line, and gives the next one that comes.
    ///
    /// # Errors
    ///
    /// Those of the connection, and that it has ended.
    pub async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.say(line).await?;
        self.hear()
            .await?
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Takes a name and goes into a room, until it has heard that it is in.
    ///
    /// # Errors
    ///
    /// Those of the connection, and any other answer.
    pub async fn enter(&mut self, name: &str, room: &str) -> io::Result<()> {
        self.say(&format!("/nick {name}\n/join {room}")).await?;
        self.hears("* welcome; tell your name by `/nick NAME`")
            .await?;
        self.hears(&format!(
            "* you are {name}; join a room first, by `/join ROOM`"
        ))
        .await?;
        self.hears("* you are in").await?;
        self.hears(&format!("* {name} comes in")).await
    }

    /// Hears this line and no other one.
    ///
    /// # Errors
    ///
    /// Those of the connection, and any other line.
    pub async fn hears(&mut self, line: &str) -> io::Result<()> {
        match self.hear().await? {
            Some(heard) if heard == line => Ok(()),
            heard => Err(io::Error::other(format!("{heard:?} and not {line:?}"))),
        }
    }
}
