//! `#[to(..)]` stands before a type parameter.
use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(event = Event)]
enum Connection<#[to(Closed)] T> {
    #[initial]
    Connected(Connected<T>),
    #[terminal]
    Closed,
}

struct Connected<T>(T);

fn main() {}
