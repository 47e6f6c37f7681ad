/// Not shown.
#[doc(hidden)]
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
pub struct Down;
///Where a [`Link`] is, as its handler sees it: one of its states, with the right to leave it.
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
pub enum LinkAt<'a> {
    ///The machine is in [`Link::Down`].
    Down(::statem::At<'a, Link, Down>),
    ///The machine is in [`Link::Up`].
    Up(::statem::At<'a, Link, Up>),
}
#[automatically_derived]
#[allow(dead_code, deprecated, unreachable_pub)]
impl<'a> LinkAt<'a> {
    /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
    pub fn go<Target>(self, __target: Target) -> ::statem::Next<Link>
    where
        Link: ::statem::To<Target, Link>,
    {
        match self {
            Self::Down(__at) => ::statem::At::go_from_any(__at, __target),
            Self::Up(__at) => ::statem::At::go_from_any(__at, __target),
        }
    }
    /// The name of the state.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Down(_) => "Down",
            Self::Up(_) => "Up",
        }
    }
}
#[automatically_derived]
impl<'a> ::core::fmt::Debug for LinkAt<'a> {
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
impl Link {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Machine for Link {
    type Event = Event;
    type Data = ();
    type Timeout = &'static str;
    type At<'a> = LinkAt<'a> where Self: 'a;
    const GRAPH: ::statem::Graph = ::statem::Graph::new(
        "Link",
        ::core::concat!(include_str!("link.md")),
        &[
            ::statem::graph::Vertex::new(
                "Down",
                "Not shown.",
                true,
                false,
                &[
                    ::statem::graph::Edge::new("Up", ::core::option::Option::None),
                    ::statem::graph::Edge::new(
                        "Down",
                        ::core::option::Option::Some("with the feature"),
                    ),
                ],
            ),
            ::statem::graph::Vertex::new(
                "Up",
                "",
                false,
                false,
                &[::statem::graph::Edge::new("Down", ::core::option::Option::None)],
            ),
        ],
    );
    fn index(&self) -> usize {
        match self {
            Self::Down => 0usize,
            Self::Up(_) => 1usize,
        }
    }
    fn view(
        __slot: ::statem::__private::Slot<'_, Self>,
    ) -> <Self as ::statem::Machine>::At<'_> {
        match ::statem::__private::Slot::state(&__slot) {
            Self::Down => LinkAt::Down(::statem::At::new(__slot)),
            Self::Up(_) => LinkAt::Up(::statem::At::new(__slot)),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Link> for Down {
    fn wrap(self) -> Link {
        Link::Down
    }
    fn unwrap(__machine: Link) -> ::core::option::Option<Self> {
        match __machine {
            Link::Down => ::core::option::Option::Some(Self),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Link> for Down {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Node<Link> for Up {
    fn wrap(self) -> Link {
        Link::Up(self)
    }
    fn unwrap(__machine: Link) -> ::core::option::Option<Self> {
        match __machine {
            Link::Up(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Payload<Link> for Up {
    fn get(__machine: &Link) -> ::core::option::Option<&Self> {
        match __machine {
            Link::Up(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
    fn get_mut(__machine: &mut Link) -> ::core::option::Option<&mut Self> {
        match __machine {
            Link::Up(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Living<Link> for Up {}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Up, Link> for Down {
    #[inline]
    fn machine(__target: Up) -> Link {
        <Up as ::statem::Node<Link>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Down, Link> for Down {
    #[inline]
    fn machine(__target: Down) -> Link {
        <Down as ::statem::Node<Link>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<Down, Link> for Up {
    #[inline]
    fn machine(__target: Down) -> Link {
        <Down as ::statem::Node<Link>>::wrap(__target)
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<::statem::__private::Nowhere, Link> for Link {
    fn machine(_: ::statem::__private::Nowhere) -> Link {
        ::core::unreachable!()
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::To<&::statem::__private::Nowhere, Link> for Link {
    fn machine(_: &::statem::__private::Nowhere) -> Link {
        ::core::unreachable!()
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::statem::Initial<Link> for Down {}
