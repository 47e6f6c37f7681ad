//! A crowd: many members who say numbered lines, and each of whom checks that it hears every line of
//! all others in its room once and in order.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Members of one room.
pub const OF_ROOM: usize = 10;
/// Lines that a member says beyond those that it has heard of everybody in its room. So each of them is
/// at most twice as far ahead of the slowest one, and what waits for that one fits into
/// [`UNREAD`](super::room::UNREAD): nobody is to miss any.
pub const ON_THE_WAY: u32 = 2;

/// Connections that are made at once.
const AT_ONCE: usize = 200;

/// Those who are in.
pub struct Crowd(Vec<Member>);

struct Member {
    socket: TcpStream,
    number: usize,
    /// What has come and is no whole line.
    received: Vec<u8>,
    /// The next line of each member of the room.
    next: Vec<u32>,
    /// How many of the lines are its own.
    said: u32,
}

impl Crowd {
    /// So many members connect, take names and go into rooms of [`OF_ROOM`]; when this is done, all
    /// are in.
    ///
    /// # Errors
    ///
    /// Those of the connections, and of a member that is not let in.
    pub async fn enter(address: SocketAddr, members: usize) -> io::Result<Self> {
        let mut crowd = Vec::with_capacity(members);
        while crowd.len() < members {
            let mut coming = JoinSet::new();
            for number in crowd.len()..members.min(crowd.len() + AT_ONCE) {
                coming.spawn(Member::enter(address, number));
            }
            while let Some(member) = coming.join_next().await {
                crowd.push(member.map_err(io::Error::other)??);
            }
        }
        Ok(Crowd(crowd))
    }

    /// Each member says so many lines, until everybody has heard everything.
    ///
    /// # Errors
    ///
    /// Those of the connections; and of a line that did not come, or not in its turn.
    pub async fn talk(&mut self, lines: u32) -> io::Result<()> {
        let mut talking = JoinSet::new();
        let members = self.0.len();
        for mut member in self.0.drain(..) {
            talking.spawn(async move {
                member.talk(lines, members).await?;
                Ok::<_, io::Error>(member)
            });
        }
        // The first that fails is told, for those who wait for its lines would wait for ever.
        while let Some(member) = talking.join_next().await {
            self.0.push(member.map_err(io::Error::other)??);
        }
        Ok(())
    }

    /// All say goodbye, and hear the server's.
    ///
    /// # Errors
    ///
    /// Those of the connections.
    pub async fn leave(self) -> io::Result<()> {
        for mut member in self.0 {
            member.socket.write_all(b"/quit\n").await?;
            let mut rest = Vec::new();
            member.socket.read_to_end(&mut rest).await?;
            if !rest.ends_with(b"* goodbye\n") {
                return Err(member.complains("no goodbye"));
            }
        }
        Ok(())
    }
}

impl Member {
    async fn enter(address: SocketAddr, number: usize) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let mut member = Member {
            socket,
            number,
            received: Vec::new(),
            next: vec![0; OF_ROOM],
            said: 0,
        };
        let hello = format!("/nick m{number}\n/join r{}\n", number / OF_ROOM);
        member.socket.write_all(hello.as_bytes()).await?;
        let mut is_in = false;
        while !is_in {
            member
                .hear(|_, line| {
                    is_in |= line == "* you are in";
                    Ok(())
                })
                .await?;
        }
        Ok(member)
    }

    async fn talk(&mut self, lines: u32, members: usize) -> io::Result<()> {
        let first = self.number / OF_ROOM * OF_ROOM;
        let of_room = OF_ROOM.min(members - first);
        let until = self.said + lines;
        let mut waits = of_room as u64 * u64::from(lines);
        let mut out = Vec::new();
        while waits > 0 {
            let of_all = self.next[..of_room].iter().min().copied();
            let heard = of_all.unwrap_or_default();
            while self.said < until && self.said - heard < ON_THE_WAY {
                out.extend_from_slice(format!("{}\n", self.said).as_bytes());
                self.said += 1;
            }
            self.socket.write_all(&out).await?;
            out.clear();
            self.hear(|member, line| {
                // The server's own words, of those who come and go.
                if line.starts_with("* m") {
                    return Ok(());
                }
                let heard = said(line).filter(|(from, _)| (first..first + of_room).contains(from));
                let (from, number) = heard.ok_or_else(|| member.complains(line))?;
                let next = &mut member.next[from - first];
                if *next != number {
                    let next = *next;
                    return Err(member.complains(&format!("{line} in place of line {next}")));
                }
                *next += 1;
                waits -= 1;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Waits for what comes, and looks at each line of it.
    async fn hear(
        &mut self,
        mut look: impl FnMut(&mut Self, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        self.received.reserve(1024);
        if self.socket.read_buf(&mut self.received).await? == 0 {
            return Err(self.complains("the end"));
        }
        let received = std::mem::take(&mut self.received);
        let mut rest = &received[..];
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line = std::str::from_utf8(&rest[..end]).map_err(io::Error::other)?;
            look(self, line)?;
            rest = &rest[end + 1..];
        }
        self.received = rest.to_vec();
        Ok(())
    }

    fn complains(&self, heard: &str) -> io::Error {
        io::Error::other(format!("m{} has heard {heard}", self.number))
    }
}

/// Who has said which line: `<m12> 3`.
fn said(line: &str) -> Option<(usize, u32)> {
    let (from, number) = line.strip_prefix("<m")?.split_once("> ")?;
    Some((from.parse().ok()?, number.parse().ok()?))
}
