//! Parameters with the names that the derive and the library use themselves.

use std::marker::PhantomData;

use statem::{At, Cx, Handler, Machine, Next, Node, State, StateMachine, To, keep, unexpected};

pub trait Transport {}
pub struct Tcp;
impl Transport for Tcp {}

pub struct Event<E>(E);
pub struct Shared<M>(M);

#[derive(StateMachine)]
#[machine(event = Event<E>, data = Shared<M>)]
#[to(Offline)]
pub enum Connection<T: Transport, S = u8, E = (), M = (), const N: usize = 3>
where
    S: Clone,
{
    #[initial]
    #[to(Handshaking)]
    Offline,
    #[to(Ready)]
    Handshaking(Handshaking<T>),
    #[to(Ready, Closed)]
    Ready(Ready<T, S, E, M, N>),
    #[terminal]
    Closed,
}

pub struct Handshaking<T> {
    link: T,
}

pub struct Ready<T, S, E, M, const N: usize> {
    link: T,
    rest: [PhantomData<(S, E, M)>; N],
}

impl<T: Transport, S: Clone, E, M, const N: usize> Handler for Connection<T, S, E, M, N> {
    fn handle(
        state: ConnectionAt<'_, T, S, E, M, N>,
        event: Event<E>,
        _: &mut Shared<M>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        match state {
            ConnectionAt::Offline(_) => unexpected(event),
            ConnectionAt::Handshaking(s) => s.go_with(|old| Ready { link: old.link, rest: [PhantomData; N] }),
            ConnectionAt::Ready(s) if N == 0 => s.go_with(|old| Ready { link: old.link, ..old }),
            other => other.go(Offline),
        }
    }
}

fn lost<S, T: Transport>(at: At<'_, Connection<T>, S>) -> Next<Connection<T>>
where
    S: Node<Connection<T>> + To<Offline, Connection<T>>,
{
    at.go(Offline)
}

/// The target is a parameter too.
fn leave<S, Target, T: Transport>(at: At<'_, Connection<T>, S>, target: Target) -> Next<Connection<T>>
where
    S: Node<Connection<T>> + To<Target, Connection<T>>,
{
    at.go(target)
}

/// Each state has its own handler, for some of the parameters only.
#[derive(StateMachine)]
#[machine(event = E, handlers = "per_state")]
pub enum Other<T, E> {
    #[initial]
    #[to(Busy)]
    Idle,
    #[to(Idle, Done)]
    Busy(Busy<T, E>),
    #[terminal]
    Done(PhantomData<E>),
}

pub struct Busy<T, E>(T, PhantomData<E>);

impl<T: Default, E> State<Other<T, E>> for Idle {
    fn handle(at: At<'_, Other<T, E>, Self>, _: E, _: &mut (), _: &mut Cx<Other<T, E>>) -> Next<Other<T, E>> {
        at.go(Busy(T::default(), PhantomData))
    }
}

impl<T: Transport, E> State<Other<T, E>> for Busy<T, E> {
    fn handle(at: At<'_, Other<T, E>, Self>, _: E, _: &mut (), _: &mut Cx<Other<T, E>>) -> Next<Other<T, E>> {
        let _: &T = &at.0;
        keep()
    }
}

/// Lifetimes alone.
#[derive(StateMachine)]
#[machine(event = &'a str, handlers = "per_state")]
pub enum Borrowing<'a> {
    #[initial]
    #[to(Word)]
    Start,
    #[to()]
    Word(Word<'a>),
}

pub struct Word<'a>(&'a str);

impl<'a> State<Borrowing<'a>> for Start {
    fn handle(_: At<'_, Borrowing<'a>, Self>, _: &'a str, _: &mut (), _: &mut Cx<Borrowing<'a>>) -> Next<Borrowing<'a>> {
        keep()
    }
}

impl<'a> State<Borrowing<'a>> for Word<'a> {
    fn handle(_: At<'_, Borrowing<'a>, Self>, _: &'a str, _: &mut (), _: &mut Cx<Borrowing<'a>>) -> Next<Borrowing<'a>> {
        keep()
    }
}

fn has_handler<M: Handler>() {}

impl Default for Tcp {
    fn default() -> Self {
        Tcp
    }
}

fn main() {
    has_handler::<Connection<Tcp>>();
    has_handler::<Other<Tcp, u8>>();
    has_handler::<Borrowing<'_>>();
    assert_eq!(Connection::<Tcp>::GRAPH.states.len(), 4);
    assert_eq!(Connection::<Tcp>::Offline.index(), 0);
    let _ = lost::<Ready<Tcp, u8, (), (), 3>, Tcp>;
    let _ = leave::<Offline, Handshaking<Tcp>, Tcp>;
    let _ = Handshaking { link: Tcp };
}
