//! Parameters of all kinds.

use machines::{Cx, Handler, Next, StateMachine, keep};

/// Counts.
#[derive(Debug, StateMachine)]
#[machine(crate = machines, event = Happened<T>, data = Vec<T>)]
pub enum Counter<T, const N: usize>
where
    T: Ord,
{
    /// There is nothing to count.
    #[initial]
    #[to(Counting)]
    Idle,
    /// There is.
    #[to(Idle)]
    Counting(Counting<T>),
}

/// What is counted.
#[derive(Debug)]
pub struct Counting<T> {
    /// The largest so far.
    pub largest: T,
}

/// Something happened.
#[derive(Debug)]
pub enum Happened<T> {
    /// This came.
    Came(T),
}

impl<T: Ord + Copy + Send + 'static, const N: usize> Handler for Counter<T, N> {
    fn handle(
        state: CounterAt<'_, T, N>,
        Happened::Came(item): Happened<T>,
        items: &mut Vec<T>,
        _: &mut Cx<Self>,
    ) -> Next<Self> {
        items.push(item);
        match state {
            CounterAt::Idle(s) => s.go(Counting { largest: item }),
            CounterAt::Counting(s) if items.len() == N => s.go(Idle),
            CounterAt::Counting(mut s) => {
                s.largest = item.max(s.largest);
                keep()
            }
        }
    }
}
