//! Machines whose pictures are out of the ordinary.

use machines::{Graph, Machine};

/// All of them.
pub const GRAPHS: [Graph; 6] = [
    alone::Alone::GRAPH,
    big::Big::GRAPH,
    labels::Labels::GRAPH,
    raw::Raw::GRAPH,
    several::Several::<u8, 1>::GRAPH,
    unicode::Straße::GRAPH,
];

/// One state and nothing to do.
pub mod alone {
    use machines::StateMachine;

    /// It stays where it is.
    #[derive(Debug, StateMachine)]
    #[machine(crate = machines, event = ())]
    pub enum Alone {
        /// Here.
        #[initial]
        Here,
    }
}

/// Twelve states and forty transitions.
pub mod big {
    use machines::StateMachine;

    /// A connection of TCP, and then some.
    #[derive(Debug, StateMachine)]
    #[machine(crate = machines, event = ())]
    #[to(Gone = "power off")]
    pub enum Big {
        /// Before anything.
        #[initial]
        #[to(Listen = "passive open", SynSent = "active open")]
        Idle,
        /// Waits for a peer.
        #[to(SynReceived = "syn", SynSent = "send", Idle = "close")]
        Listen,
        /// Has heard of a peer.
        #[to(Established = "ack", FinWait1 = "close", Listen = "rst")]
        SynReceived,
        /// Has asked a peer.
        #[to(SynReceived = "syn", Established = "syn and ack", Idle = "close")]
        SynSent,
        /// Bytes go both ways.
        #[to(FinWait1 = "close", CloseWait = "fin", Established = "data")]
        Established,
        /// Has said that it ends.
        #[to(FinWait2 = "ack", Closing = "fin", TimeWait = "fin and ack")]
        FinWait1,
        /// The peer knows.
        #[to(TimeWait = "fin", FinWait2 = "data", Idle)]
        FinWait2,
        /// The peer has said that it ends.
        #[to(LastAck = "close", CloseWait = "data", Idle)]
        CloseWait,
        /// Both have said it.
        #[to(TimeWait = "ack", Idle)]
        Closing,
        /// The last word is on its way.
        #[to(Idle = "ack", LastAck = "again")]
        LastAck,
        /// Nobody may have this port yet.
        #[to(Idle = "2 MSL", TimeWait = "fin")]
        TimeWait,
        /// For ever.
        #[terminal]
        Gone,
    }
}

/// Labels that mean something to HTML, Markdown or a layout.
pub mod labels {
    use machines::StateMachine;

    /// `Labels` & <b>more</b>.
    ///
    /// The second paragraph is not shown.
    #[derive(Debug, StateMachine)]
    #[machine(crate = machines, event = ())]
    pub enum Labels {
        /// Is `a < b` & "c",
        /// [really](https://example.org)?
        #[initial]
        #[to(
            First = "<&\"'>",
            Second = "</text></svg></div><script>alert(1)</script>"
        )]
        #[to(Third = "two\n\nparagraphs\tand\u{7} a bell")]
        First,
        /// Markdown.
        #[to(First = "*a* _b_ `c` [d] http://example.org", Third = "&amp;")]
        Second,
        /// A long one.
        #[to(
            First = "a label that is much longer than anybody would write, and then goes on for a while, to the edge of \
            the page and past it"
        )]
        #[to(Second = "")]
        Third,
    }
}

/// Raw identifiers.
pub mod raw {
    use machines::StateMachine;

    /// Its names are written with `r#`.
    #[derive(Debug, StateMachine)]
    #[machine(crate = machines, event = ())]
    pub enum r#Raw {
        /// One way.
        #[initial]
        #[to(r#Gen, r#Raw_ = "r#")]
        r#Gen,
        /// The other.
        #[to(Gen)]
        #[allow(non_camel_case_types)]
        r#Raw_,
    }
}

/// Parameters, several initial and terminal states, and one that is not shown elsewhere.
pub mod several {
    use std::marker::PhantomData;

    use machines::StateMachine;

    /// It has two of everything.
    #[derive(Debug, StateMachine)]
    #[machine(crate = machines, event = ())]
    #[to(Right, Good = "well")]
    pub enum Several<T, const N: usize>
    where
        T: Copy,
    {
        /// One beginning.
        #[initial]
        Left(Left<T>),
        /// The other.
        #[initial]
        #[to(Bad)]
        Right,
        /// One end.
        #[terminal]
        Good,
        #[doc(hidden)]
        #[terminal]
        Bad,
    }

    /// The beginning with a parameter.
    #[derive(Debug)]
    pub struct Left<T>(pub PhantomData<T>);
}

/// Letters of all kinds.
pub mod unicode {
    use machines::StateMachine;

    /// Eine Straße.
    #[derive(Debug, StateMachine)]
    #[machine(crate = machines, event = ())]
    pub enum Straße {
        /// Nichts geht.
        #[initial]
        #[to(Grün = "grün → los")]
        Rot,
        /// 进む。
        #[to(Rot = "止まれ 🚦")]
        Grün,
    }
}
