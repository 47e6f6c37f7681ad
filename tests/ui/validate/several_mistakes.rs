use statem::StateMachine;

enum Event {}

#[derive(StateMachine)]
#[machine(evnt = Event, unexpected = "shrug")]
enum Connection {
    #[to(Conecting)]
    Disconnected,
    #[terminal]
    #[to(Connected { link: 1 })]
    Connecting,
    #[initial]
    #[initial]
    #[to(Disconnected, Disconnected)]
    Connected { link: u32 },
}

fn main() {}
