//! A server for clients that speak in lines, to be run beside them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Starts a server on a free port, as a task of the current runtime.
///
/// It answers each line in capitals, one client at a time, and goes away at "bye" without a word, for
/// half a second.
///
/// # Errors
///
/// When there is no free port.
pub async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    drop(tokio::spawn(serve(listener, address)));
    Ok(address)
}

async fn serve(mut listener: TcpListener, address: SocketAddr) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        if shout(socket).await? {
            drop(listener);
            tokio::time::sleep(Duration::from_millis(500)).await;
            listener = TcpListener::bind(address).await?;
        }
    }
}

/// Whether it was the last client for a while.
async fn shout(mut socket: TcpStream) -> io::Result<bool> {
    let (read, mut write) = socket.split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        if line == "bye" {
            return Ok(true);
        }
        let answer = line.to_uppercase() + "\n";
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(false)
}
