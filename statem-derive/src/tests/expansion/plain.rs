/// Nobody passes.
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
pub struct Closed;
///Where a [`Door`] is, as its handler sees it: one of its states, with the right to leave it.
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
pub enum DoorAt<'a> {
    ///The machine is in [`Door::Closed`].
    Closed(::statem::At<'a, Door, Closed>),
    ///The machine is in [`Door::Open`].
    Open(::statem::At<'a, Door, Open>),
}
#[automatically_derived]
#[allow(dead_code, deprecated, unreachable_pub)]
impl<'a> DoorAt<'a> {
    /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
    pub fn go<Target>(self, __target: Target) -> ::statem::Next<Door>
    where
        Door: ::statem::To<Target, Door>,
    {
        match self {
            Self::Closed(__at) => ::statem::At::go_from_any(__at, __target),
            Self::Open(__at) => ::statem::At::go_from_any(__at, __target),
        }
    }
    /// The name of the state.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed(_) => "Closed",
            Self::Open(_) => "Open",
        }
    }
}
#[automatically_derived]
impl<'a> ::core::fmt::Debug for DoorAt<'a> {
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
impl Door {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Machine for Door {
    type Event = Event;
    type Data = Visitors;
    type Timeout = Name;
    type At<'a> = DoorAt<'a> where Self: 'a;
    const GRAPH: ::statem::Graph = ::statem::Graph::new(
        "Door",
        "A door.",
        &[
            ::statem::graph::Vertex::new(
                "Closed",
                "Nobody passes.",
                true,
                false,
                &[
                    ::statem::graph::Edge::new(
                        "Open",
                        ::core::option::Option::Some("pushed"),
                    ),
                ],
            ),
            ::statem::graph::Vertex::new(
                "Open",
                "",
                false,
                false,
                &[
                    ::statem::graph::Edge::new("Closed", ::core::option::Option::None),
                    ::statem::graph::Edge::new(
                        "Open",
                        ::core::option::Option::Some("pushed"),
                    ),
                ],
            ),
        ],
    );
    const UNEXPECTED: ::statem::Unexpected = ::statem::Unexpected::Stop;
    fn index(&self) -> usize {
        match self {
            Self::Closed => 0usize,
            Self::Open(_) => 1usize,
        }
    }
    fn view(
        __slot: ::statem::__private::Slot<'_, Self>,
    ) -> <Self as ::statem::Machine>::At<'_> {
        match ::statem::__private::Slot::state(&__slot) {
            Self::Closed => DoorAt::Closed(::statem::At::new(__slot)),
            Self::Open(_) => DoorAt::Open(::statem::At::new(__slot)),
        }
    }
    fn shutdown() -> ::core::option::Option<<Self as ::statem::Machine>::Event> {
        let __event: Event = Event::Shut;
        ::core::option::Option::Some(__event)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Door> for Closed {
    fn wrap(self) -> Door {
        Door::Closed
    }
    fn unwrap(__machine: Door) -> ::core::option::Option<Self> {
        match __machine {
            Door::Closed => ::core::option::Option::Some(Self),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Door> for Closed {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Door> for Open {
    fn wrap(self) -> Door {
        Door::Open(self)
    }
    fn unwrap(__machine: Door) -> ::core::option::Option<Self> {
        match __machine {
            Door::Open(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Payload<Door> for Open {
    fn get(__machine: &Door) -> ::core::option::Option<&Self> {
        match __machine {
            Door::Open(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
    fn get_mut(__machine: &mut Door) -> ::core::option::Option<&mut Self> {
        match __machine {
            Door::Open(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Door> for Open {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Open, Door> for Closed {
    #[inline]
    fn machine(__target: Open) -> Door {
        <Open as ::statem::Node<Door>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Closed, Door> for Open {
    #[inline]
    fn machine(__target: Closed) -> Door {
        <Closed as ::statem::Node<Door>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Open, Door> for Open {
    #[inline]
    fn machine(__target: Open) -> Door {
        <Open as ::statem::Node<Door>>::wrap(__target)
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<::statem::__private::Nowhere, Door> for Door {
    fn machine(_: ::statem::__private::Nowhere) -> Door {
        ::core::unreachable!()
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<&::statem::__private::Nowhere, Door> for Door {
    fn machine(_: &::statem::__private::Nowhere) -> Door {
        ::core::unreachable!()
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Initial<Door> for Closed {}
