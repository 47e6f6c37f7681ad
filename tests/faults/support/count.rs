//! What is left when it should not be: tasks of the runtime, sockets of this process.

use std::collections::BTreeSet;
use std::fs;

use super::time::until;

/// The sockets to or from a port that this process has open, those that wait to be accepted too,
/// which have no descriptor yet. Other tests run at the same time, so the port tells whose a socket
/// is; and a namespace has tables of its own, those of this thread.
pub(crate) fn sockets(port: u16) -> usize {
    let mine = descriptors();
    let tables = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];
    let tables = tables.map(|table| fs::read_to_string(table).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let connections = lines.filter(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let at = |address: &str| {
            let port = address
                .rsplit(':')
                .next()
                .expect("a port is after the last colon");
            u16::from_str_radix(port, 16).expect("a port is hexadecimal")
        };
        (at(fields[1]) == port || at(fields[2]) == port) && mine.contains(fields[9])
    });
    connections.count()
}

/// The inodes of all sockets that this process has open.
fn descriptors() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc/self/fd").expect("the descriptors are listed");
    entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

/// Waits until no task is left on this runtime but the test itself.
pub(crate) async fn no_task_is_left() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let left = || metrics.num_alive_tasks();
    until(
        "the tasks of the client and of the servers have ended",
        || left() == 0,
    )
    .await;
}

/// Waits until no socket to or from this port is left.
pub(crate) async fn no_socket_is_left(port: u16) {
    until(format!("the sockets of port {port} are closed"), || {
        sockets(port) == 0
    })
    .await;
}
