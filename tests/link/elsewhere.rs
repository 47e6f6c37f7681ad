//! A link is a value: it works in whatever machine has it.

use std::time::Duration;

use statem::net::{Link, LinkEvent};
use statem::{Cx, Handler, Next, StateMachine, keep, spawn};
use tokio::io::AsyncReadExt;
use tokio_util::codec::LinesCodec;

/// A machine that does what its events say.
#[derive(StateMachine)]
#[machine(event = Event, data = Option<Link<LinesCodec>>)]
enum Owner {
    #[initial]
    #[to(Ready)]
    Ready,
}

enum Event {
    Do(Box<Deed>),
    Link,
}

type Deed = dyn FnOnce(&mut Option<Link<LinesCodec>>, &mut Cx<Owner>) + Send;

impl Handler for Owner {
    fn handle(
        _: OwnerAt<'_>,
        event: Event,
        link: &mut Option<Link<LinesCodec>>,
        cx: &mut Cx<Self>,
    ) -> Next<Self> {
        if let Event::Do(deed) = event {
            deed(link, cx);
        }
        keep()
    }
}

fn act(deed: impl FnOnce(&mut Option<Link<LinesCodec>>, &mut Cx<Owner>) + Send + 'static) -> Event {
    Event::Do(Box::new(deed))
}

#[tokio::test(start_paused = true)]
async fn a_link_moved_to_another_machine_writes() {
    let (near, mut far) = tokio::io::duplex(64);
    let (opener, owner) = (spawn::<Owner>(Ready, None), spawn::<Owner>(Ready, None));
    let to = owner.clone();
    let open = act(move |_, cx| {
        let link = Link::open(near, LinesCodec::new(), cx, |_: LinkEvent<String>| {
            Event::Link
        });
        let sent = to.try_cast(act(move |held, _| *held = Some(link)));
        sent.expect("the mailbox has room");
    });
    opener.cast(open).await.expect("the machine runs");
    // Both machines sleep.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let send = act(|held, _| {
        let link = held.as_mut().expect("the link was moved here");
        link.send("hello").expect("the link is open");
    });
    owner.cast(send).await.expect("the machine runs");
    let mut line = [0; 6];
    tokio::time::timeout(Duration::from_secs(1), far.read_exact(&mut line))
        .await
        .expect("it is written")
        .expect("the link is open");
    assert_eq!(&line, b"hello\n");
}
