//! A transition is declared twice, in a generic machine that is used in every way.
use statem::{At, Cx, Next, State, StateMachine, keep};

struct Event<E>(E);

#[derive(StateMachine)]
#[machine(event = Event<E>, handlers = "per_state")]
enum Connection<T, E>
where
    T: Default,
{
    #[initial]
    #[to(Connected, Connected)]
    Disconnected,
    #[to(Disconnected)]
    Connected(Connected<T, E>),
}

struct Connected<T, E>(T, Option<E>);

impl<T: Default, E> State<Connection<T, E>> for Disconnected {
    fn handle(
        at: At<'_, Connection<T, E>, Self>,
        event: Event<E>,
        _: &mut (),
        _: &mut Cx<Connection<T, E>>,
    ) -> Next<Connection<T, E>> {
        at.go(Connected(T::default(), Some(event.0)))
    }
}

impl<T: Default, E> State<Connection<T, E>> for Connected<T, E> {
    fn handle(
        mut at: At<'_, Connection<T, E>, Self>,
        event: Event<E>,
        _: &mut (),
        _: &mut Cx<Connection<T, E>>,
    ) -> Next<Connection<T, E>> {
        if at.1.replace(event.0).is_some() { at.go(Disconnected) } else { keep() }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    drop(statem::spawn::<Connection<u32, u8>>(Disconnected, ()));
}
