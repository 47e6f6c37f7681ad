///The state `Only` of [`Machine`].
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
struct Only;
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
    ///The machine is in [`Machine::Only`].
    Only(::statem::At<'a, Machine, Only>),
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
            Self::Only(__at) => ::statem::At::go_from_any(__at, __target),
        }
    }
    /// The name of the state.
    #[must_use]
    const fn name(&self) -> &'static str {
        match self {
            Self::Only(_) => "Only",
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
        &[::statem::graph::Vertex::new("Only", "", true, false, &[])],
    );
    const UNEXPECTED: ::statem::Unexpected = ::statem::Unexpected::Panic;
    fn index(&self) -> usize {
        match self {
            Self::Only => 0usize,
        }
    }
    fn view(
        __slot: ::statem::__private::Slot<'_, Self>,
    ) -> <Self as ::statem::Machine>::At<'_> {
        match ::statem::__private::Slot::state(&__slot) {
            Self::Only => MachineAt::Only(::statem::At::new(__slot)),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Machine> for Only {
    fn wrap(self) -> Machine {
        Machine::Only
    }
    fn unwrap(__machine: Machine) -> ::core::option::Option<Self> {
        match __machine {
            Machine::Only => ::core::option::Option::Some(Self),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Machine> for Only {}
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
impl ::statem::Initial<Machine> for Only {}
