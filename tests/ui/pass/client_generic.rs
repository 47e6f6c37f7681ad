//! The parameters of the event are those of the client, with their bounds and defaults.

#![deny(warnings)]
#![allow(dead_code)]

use std::fmt::Display;

use statem::{CallError, Client, Cx, Handler, Next, Reply, Request, StateMachine, keep, spawn};

#[derive(StateMachine)]
#[machine(event = Event<T, E, N>)]
enum Machine<T, E, const N: usize>
where
    T: Display + Clone + Send + 'static,
    E: From<T> + Send + 'static,
{
    #[initial]
    #[to(Full)]
    Full(Full<T, E, N>),
}

struct Full<T, E, const N: usize>([T; N], std::marker::PhantomData<E>);

#[derive(Client)]
#[client(machine = Machine<T, E, N>, name = pub(crate) M)]
enum Event<T, E = String, const N: usize = 2>
where
    T: Display + Clone + Send + 'static,
    E: From<T> + Send + 'static,
{
    #[call]
    Get { place: usize, reply: Reply<T, E> },
    #[call]
    All(Reply<[T; N]>),
    #[cast]
    Set(T),
}

impl<T, E, const N: usize> Handler for Machine<T, E, N>
where
    T: Display + Clone + Send + 'static,
    E: From<T> + Send + 'static,
{
    fn handle(state: MachineAt<'_, T, E, N>, event: Event<T, E, N>, _: &mut (), _: &mut Cx<Self>) -> Next<Self> {
        let MachineAt::Full(mut full) = state;
        match event {
            Event::Get { place, reply } => match full.0.get(place) {
                Some(value) => drop(reply.send(value.clone())),
                None => drop(reply.fail(full.0[0].clone().into())),
            },
            Event::All(reply) => drop(reply.send(full.0.clone())),
            Event::Set(value) => full.0.fill(value),
        }
        keep()
    }
}

fn first<'a, T>(client: &'a M<T>) -> impl Request<T, String> + 'a
where
    T: Display + Clone + Send + 'static,
    String: From<T>,
{
    client.get(0)
}

/// It may have lifetimes, where the machine runs on the task one is in.
mod borrowed {
    use statem::{Client, Reply, StateMachine};

    #[derive(StateMachine)]
    #[machine(event = Word<'a>)]
    pub enum Book<'a> {
        #[initial]
        #[to(Open)]
        Open(Open<'a>),
    }

    pub struct Open<'a>(pub Vec<&'a str>);

    #[derive(Client)]
    #[client(machine = Book<'a>)]
    pub enum Word<'a> {
        #[call]
        Find { word: &'a str, reply: Reply<bool> },
    }

    pub fn find<'a>(client: &BookClient<'a>, word: &'a str) {
        drop(client.find(word));
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let client: M<&str> = spawn(Full(["a", "b"], std::marker::PhantomData), ()).into();
        assert_eq!(first(&client).await.unwrap(), "a");
        client.set("c").await.unwrap();
        assert_eq!(client.all().await.unwrap(), ["c", "c"]);
        assert!(matches!(client.get(2).await, Err(CallError::Failed(why)) if why == "c"));
    });
    let _ = borrowed::find;
    let _ = |word| borrowed::Book::Open(borrowed::Open(vec![word]));
}
