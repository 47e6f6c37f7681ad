//! The rules by which a case is translated, or compared only in part.

/// A rule that a case touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    InfoIsCast,
    AnsweredTwice,
    ForgedType,
    PostponeOptions,
    NextToSame,
    Infinity,
    EnterInserts,
    EnterUndoesPostpone,
    EnterRaises,
    BadEnterReturn,
    EnterPostpones,
    BadReturn,
    StopReason,
    Hibernate,
    TimersShown,
    PastTime,
    EqualDeadlines,
}

impl Touched {
    pub(crate) const ALL: [Touched; 17] = [
        Touched::InfoIsCast,
        Touched::AnsweredTwice,
        Touched::ForgedType,
        Touched::PostponeOptions,
        Touched::NextToSame,
        Touched::Infinity,
        Touched::EnterInserts,
        Touched::EnterUndoesPostpone,
        Touched::EnterRaises,
        Touched::BadEnterReturn,
        Touched::EnterPostpones,
        Touched::BadReturn,
        Touched::StopReason,
        Touched::Hibernate,
        Touched::TimersShown,
        Touched::PastTime,
        Touched::EqualDeadlines,
    ];

    /// The rule's numbers, and what is done about it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Touched::InfoIsCast => "R1, N7: an info event is a cast that says so",
            Touched::AnsweredTwice => {
                "R2, N50: a call has one outcome: a further answer reaches nobody"
            }
            Touched::ForgedType => {
                "R8, N7: an inserted event of another type is an insert that says so"
            }
            Touched::PostponeOptions => {
                "R29, N4: of several options to postpone the last alone is carried out"
            }
            Touched::NextToSame => "R34, N13: next state equal to the current one is `keep`",
            Touched::Infinity => "R64, N25: infinity is a cancel",
            Touched::EnterInserts => "R79, N6: enter may insert; the machine stops as OTP's does",
            Touched::EnterUndoesPostpone => {
                "R80, N4: enter cannot undo a postpone; compared up to that call"
            }
            Touched::EnterRaises => {
                "R81, R96, N11: a panic in enter shows the state and data as they are"
            }
            Touched::BadEnterReturn => {
                "R103, N6: enter cannot change the state; the machine stops as OTP's does"
            }
            Touched::EnterPostpones => {
                "R106, N6: enter cannot postpone; the machine stops as OTP's does"
            }
            Touched::BadReturn => {
                "R107, N4: a bad return value has no type; the machine stops as OTP's does"
            }
            Touched::StopReason => {
                "R120, N64: a handle stops a machine with normal or shutdown alone"
            }
            Touched::Hibernate => "R135: hibernation is left out",
            Touched::TimersShown => {
                "R123, N70: a handle is not shown what the timers that run will send"
            }
            Touched::PastTime => {
                "R148, N21: a past time started beside timers that are due waits for them; compared up to that step"
            }
            Touched::EqualDeadlines => {
                "R149, N26: equal deadlines fire in the order started, as OTP's happen to do"
            }
        }
    }
}

/// The rules that one case touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TouchedSet(u32);

impl TouchedSet {
    pub(crate) fn add(&mut self, rule: Touched) {
        self.0 |= 1 << rule as u32;
    }

    pub(crate) fn has(self, rule: Touched) -> bool {
        self.0 & (1 << rule as u32) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}
