///The state `Off` of [`Lamp`].
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
struct Off;
///The state `Broken` of [`Lamp`].
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
struct r#Broken;
///Where a [`Lamp`] is, as its handler sees it: one of its states, with the right to leave it.
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
enum LampAt<'a, T> {
    ///The machine is in [`Lamp::Off`].
    Off(vendored::machines::At<'a, Lamp<T>, Off>),
    ///The machine is in [`Lamp::On`].
    On(vendored::machines::At<'a, Lamp<T>, On<T>>),
}
#[automatically_derived]
#[allow(dead_code, deprecated, unreachable_pub)]
impl<'a, T> LampAt<'a, T> {
    /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
    fn go<Target>(self, __target: Target) -> vendored::machines::Next<Lamp<T>>
    where
        Lamp<T>: vendored::machines::To<Target, Lamp<T>>,
    {
        match self {
            Self::Off(__at) => vendored::machines::At::go_from_any(__at, __target),
            Self::On(__at) => vendored::machines::At::go_from_any(__at, __target),
        }
    }
    /// The name of the state.
    #[must_use]
    const fn name(&self) -> &'static str {
        match self {
            Self::Off(_) => "Off",
            Self::On(_) => "On",
        }
    }
}
#[automatically_derived]
impl<'a, T> ::core::fmt::Debug for LampAt<'a, T> {
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
impl<T> Lamp<T> {}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Machine for Lamp<T> {
    type Event = Switch;
    type Data = u32;
    type Timeout = &'static str;
    type At<'a> = LampAt<'a, T> where Self: 'a;
    const GRAPH: vendored::machines::Graph = vendored::machines::Graph::new(
        "Lamp",
        "",
        &[
            vendored::machines::graph::Vertex::new(
                "Off",
                "",
                true,
                false,
                &[
                    vendored::machines::graph::Edge::new(
                        "On",
                        ::core::option::Option::None,
                    ),
                ],
            ),
            vendored::machines::graph::Vertex::new(
                "On",
                "",
                false,
                false,
                &[
                    vendored::machines::graph::Edge::new(
                        "Off",
                        ::core::option::Option::None,
                    ),
                    vendored::machines::graph::Edge::new(
                        "Broken",
                        ::core::option::Option::None,
                    ),
                ],
            ),
            vendored::machines::graph::Vertex::new("Broken", "", false, true, &[]),
        ],
    );
    fn index(&self) -> usize {
        match self {
            Self::Off => 0usize,
            Self::On(_) => 1usize,
            Self::r#Broken => 2usize,
        }
    }
    fn view(
        __slot: vendored::machines::__private::Slot<'_, Self>,
    ) -> <Self as vendored::machines::Machine>::At<'_> {
        match vendored::machines::__private::Slot::state(&__slot) {
            Self::Off => LampAt::Off(vendored::machines::At::new(__slot)),
            Self::On(_) => LampAt::On(vendored::machines::At::new(__slot)),
            Self::r#Broken => ::core::unreachable!("a terminal state has no handler"),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Node<Lamp<T>> for Off {
    fn wrap(self) -> Lamp<T> {
        Lamp::<T>::Off
    }
    fn unwrap(__machine: Lamp<T>) -> ::core::option::Option<Self> {
        match __machine {
            Lamp::<T>::Off => ::core::option::Option::Some(Self),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Living<Lamp<T>> for Off {}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Node<Lamp<T>> for On<T> {
    fn wrap(self) -> Lamp<T> {
        Lamp::<T>::On(self)
    }
    fn unwrap(__machine: Lamp<T>) -> ::core::option::Option<Self> {
        match __machine {
            Lamp::<T>::On(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Payload<Lamp<T>> for On<T> {
    fn get(__machine: &Lamp<T>) -> ::core::option::Option<&Self> {
        match __machine {
            Lamp::<T>::On(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
    fn get_mut(__machine: &mut Lamp<T>) -> ::core::option::Option<&mut Self> {
        match __machine {
            Lamp::<T>::On(__state) => ::core::option::Option::Some(__state),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Living<Lamp<T>> for On<T> {}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Node<Lamp<T>> for r#Broken {
    fn wrap(self) -> Lamp<T> {
        Lamp::<T>::r#Broken
    }
    fn unwrap(__machine: Lamp<T>) -> ::core::option::Option<Self> {
        match __machine {
            Lamp::<T>::r#Broken => ::core::option::Option::Some(Self),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::To<On<T>, Lamp<T>> for Off {
    #[inline]
    fn machine(__target: On<T>) -> Lamp<T> {
        <On<T> as vendored::machines::Node<Lamp<T>>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::To<Off, Lamp<T>> for On<T> {
    #[inline]
    fn machine(__target: Off) -> Lamp<T> {
        <Off as vendored::machines::Node<Lamp<T>>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::To<r#Broken, Lamp<T>> for On<T> {
    #[inline]
    fn machine(__target: r#Broken) -> Lamp<T> {
        <r#Broken as vendored::machines::Node<Lamp<T>>>::wrap(__target)
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::To<vendored::machines::__private::Nowhere, Lamp<T>>
for Lamp<T> {
    fn machine(_: vendored::machines::__private::Nowhere) -> Lamp<T> {
        ::core::unreachable!()
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::To<&vendored::machines::__private::Nowhere, Lamp<T>>
for Lamp<T> {
    fn machine(_: &vendored::machines::__private::Nowhere) -> Lamp<T> {
        ::core::unreachable!()
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<T> vendored::machines::Initial<Lamp<T>> for Off {}
const _: () = {
    #[automatically_derived]
    #[allow(deprecated)]
    impl<T> vendored::machines::Handler for Lamp<T>
    where
        Off: vendored::machines::State<Lamp<T>>,
        On<T>: vendored::machines::State<Lamp<T>>,
    {
        fn enter(
            &mut self,
            __data: &mut <Self as vendored::machines::Machine>::Data,
            __cx: &mut vendored::machines::EnterCx<Self>,
        ) {
            match self {
                Self::Off => {
                    <Off as vendored::machines::State<
                        Self,
                    >>::enter(&mut Off, __data, __cx)
                }
                Self::On(__state) => {
                    <On<
                        T,
                    > as vendored::machines::State<Self>>::enter(__state, __data, __cx)
                }
                Self::r#Broken => {}
            }
        }
        fn handle(
            __state: <Self as vendored::machines::Machine>::At<'_>,
            __event: <Self as vendored::machines::Machine>::Event,
            __data: &mut <Self as vendored::machines::Machine>::Data,
            __cx: &mut vendored::machines::Cx<Self>,
        ) -> vendored::machines::Next<Self> {
            match __state {
                LampAt::Off(__at) => {
                    <Off as vendored::machines::State<
                        Self,
                    >>::handle(__at, __event, __data, __cx)
                }
                LampAt::On(__at) => {
                    <On<
                        T,
                    > as vendored::machines::State<
                        Self,
                    >>::handle(__at, __event, __data, __cx)
                }
            }
        }
        fn terminate(
            __reason: &vendored::machines::ExitReason,
            __state: ::core::option::Option<&mut Self>,
            __data: &mut <Self as vendored::machines::Machine>::Data,
        ) {
            match __state {
                ::core::option::Option::Some(Self::Off) => {
                    <Off as vendored::machines::State<
                        Self,
                    >>::terminate(&mut Off, __reason, __data)
                }
                ::core::option::Option::Some(Self::On(__state)) => {
                    <On<
                        T,
                    > as vendored::machines::State<
                        Self,
                    >>::terminate(__state, __reason, __data)
                }
                ::core::option::Option::Some(Self::r#Broken) => {}
                ::core::option::Option::None => {}
            }
        }
        fn refused(
            &self,
            __event: <Self as vendored::machines::Machine>::Event,
            __data: &mut <Self as vendored::machines::Machine>::Data,
        ) {
            match self {
                Self::Off => {
                    <Off as vendored::machines::State<
                        Self,
                    >>::refused(&Off, __event, __data)
                }
                Self::On(__state) => {
                    <On<
                        T,
                    > as vendored::machines::State<
                        Self,
                    >>::refused(__state, __event, __data)
                }
                Self::r#Broken => {}
            }
        }
    }
};
