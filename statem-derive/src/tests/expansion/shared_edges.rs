///The state `Idle` of [`Machine`].
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
struct Idle;
///Where a [`Machine`] is, as its handler sees it: one of its states, with the right to leave it.
#[cfg_attr(
    doc,
    doc = "\n<div>\n<svg/>\n</div>"
)]
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    private_interfaces,
    unreachable_pub
)]
enum MachineAt<'a> {
    ///The machine is in [`Machine::Idle`].
    Idle(::statem::At<'a, Machine, Idle>),
    ///The machine is in [`Machine::Busy`].
    Busy(::statem::At<'a, Machine, Busy>),
}
#[automatically_derived]
#[allow(dead_code, deprecated, unreachable_pub)]
impl<'a> MachineAt<'a> {
    /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
    fn go<Target>(self, __target: Target) -> ::statem::Next<Machine>
    where
        Machine: ::statem::To<Target, Machine>,
    {
        match self {
            Self::Idle(__at) => ::statem::At::go_from_any(__at, __target),
            Self::Busy(__at) => ::statem::At::go_from_any(__at, __target),
        }
    }
    /// The name of the state.
    #[must_use]
    const fn name(&self) -> &'static str {
        match self {
            Self::Idle(_) => "Idle",
            Self::Busy(_) => "Busy",
        }
    }
}
#[automatically_derived]
impl<'a> ::core::fmt::Debug for MachineAt<'a> {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Formatter::write_str(__f, self.name())
    }
}
#[cfg(doc)]
/**The states and the transitions they declare. A dot points at where the machine may start, a double border is where it ends.

<div>
<svg/>
</div>*/
#[automatically_derived]
#[allow(deprecated)]
impl Machine {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Machine for Machine {
    type Event = Event;
    type Data = ();
    type Timeout = &'static str;
    type At<'a> = MachineAt<'a> where Self: 'a;
    const GRAPH: ::statem::Graph = ::statem::Graph::new(
        "Machine",
        "",
        &[
            ::statem::graph::Vertex::new(
                "Idle",
                "",
                true,
                false,
                &[
                    ::statem::graph::Edge::new(
                        "Busy",
                        ::core::option::Option::Some("asked"),
                    ),
                    ::statem::graph::Edge::new(
                        "Broken",
                        ::core::option::Option::Some("kicked"),
                    ),
                    ::statem::graph::Edge::new("Idle", ::core::option::Option::None),
                ],
            ),
            ::statem::graph::Vertex::new(
                "Busy",
                "",
                false,
                false,
                &[
                    ::statem::graph::Edge::new(
                        "Broken",
                        ::core::option::Option::Some("kicked"),
                    ),
                    ::statem::graph::Edge::new("Idle", ::core::option::Option::None),
                ],
            ),
            ::statem::graph::Vertex::new("Broken", "", false, true, &[]),
        ],
    );
    const KEEP_ABANDONED: bool = true;
    fn index(&self) -> usize {
        match self {
            Self::Idle => 0usize,
            Self::Busy(_) => 1usize,
            Self::Broken(_) => 2usize,
        }
    }
    fn view(
        __slot: ::statem::__private::Slot<'_, Self>,
    ) -> <Self as ::statem::Machine>::At<'_> {
        match ::statem::__private::Slot::state(&__slot) {
            Self::Idle => MachineAt::Idle(::statem::At::new(__slot)),
            Self::Busy(_) => MachineAt::Busy(::statem::At::new(__slot)),
            Self::Broken(_) => ::core::unreachable!("a terminal state has no handler"),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Machine> for Idle {
    fn wrap(self) -> Machine {
        Machine::Idle
    }
    fn unwrap(__machine: Machine) -> ::core::option::Option<Self> {
        match __machine {
            Machine::Idle => ::core::option::Option::Some(Self),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Machine> for Idle {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Machine> for Busy {
    fn wrap(self) -> Machine {
        Machine::Busy(self)
    }
    fn unwrap(__machine: Machine) -> ::core::option::Option<Self> {
        match __machine {
            Machine::Busy(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Payload<Machine> for Busy {
    fn get(__machine: &Machine) -> ::core::option::Option<&Self> {
        match __machine {
            Machine::Busy(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
    fn get_mut(__machine: &mut Machine) -> ::core::option::Option<&mut Self> {
        match __machine {
            Machine::Busy(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Machine> for Busy {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Machine> for Broken {
    fn wrap(self) -> Machine {
        Machine::Broken(self)
    }
    fn unwrap(__machine: Machine) -> ::core::option::Option<Self> {
        match __machine {
            Machine::Broken(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Payload<Machine> for Broken {
    fn get(__machine: &Machine) -> ::core::option::Option<&Self> {
        match __machine {
            Machine::Broken(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
    fn get_mut(__machine: &mut Machine) -> ::core::option::Option<&mut Self> {
        match __machine {
            Machine::Broken(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Broken, Machine> for Machine {
    #[inline]
    fn machine(__target: Broken) -> Machine {
        <Broken as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Idle, Machine> for Machine {
    #[inline]
    fn machine(__target: Idle) -> Machine {
        <Idle as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Busy, Machine> for Idle {
    #[inline]
    fn machine(__target: Busy) -> Machine {
        <Busy as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Broken, Machine> for Idle {
    #[inline]
    fn machine(__target: Broken) -> Machine {
        <Broken as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Idle, Machine> for Idle {
    #[inline]
    fn machine(__target: Idle) -> Machine {
        <Idle as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Broken, Machine> for Busy {
    #[inline]
    fn machine(__target: Broken) -> Machine {
        <Broken as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Idle, Machine> for Busy {
    #[inline]
    fn machine(__target: Idle) -> Machine {
        <Idle as ::statem::Node<Machine>>::wrap(__target)
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<::statem::__private::Nowhere, Machine> for Machine {
    fn machine(_: ::statem::__private::Nowhere) -> Machine {
        ::core::unreachable!()
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<&::statem::__private::Nowhere, Machine> for Machine {
    fn machine(_: &::statem::__private::Nowhere) -> Machine {
        ::core::unreachable!()
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Initial<Machine> for Idle {}
