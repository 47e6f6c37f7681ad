///The state `Idle` of [`Counter`].
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(non_camel_case_types, unreachable_pub)]
pub(crate) struct Idle;
///Where a [`Counter`] is, as its handler sees it: one of its states, with the right to leave it.
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
pub(crate) enum CounterAt<'a_, 'a, T: Ord + 'static, const N: usize = 3>
where
    T: Clone,
{
    ///The machine is in [`Counter::Idle`].
    Idle(::statem::At<'a_, Counter<'a, T, N>, Idle>),
    ///The machine is in [`Counter::Counting`].
    Counting(::statem::At<'a_, Counter<'a, T, N>, module::Counting<'a, T>>),
}
#[automatically_derived]
#[allow(dead_code, deprecated, unreachable_pub)]
impl<'a_, 'a, T: Ord + 'static, const N: usize> CounterAt<'a_, 'a, T, N>
where
    T: Clone,
{
    /// Leaves the state, whichever it is, by a transition that `#[to(..)]` on the enum declares for every state.
    pub(crate) fn go<Target>(self, __target: Target) -> ::statem::Next<Counter<'a, T, N>>
    where
        Counter<'a, T, N>: ::statem::To<Target, Counter<'a, T, N>>,
    {
        match self {
            Self::Idle(__at) => ::statem::At::go_from_any(__at, __target),
            Self::Counting(__at) => ::statem::At::go_from_any(__at, __target),
        }
    }
    /// The name of the state.
    #[must_use]
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Idle(_) => "Idle",
            Self::Counting(_) => "Counting",
        }
    }
}
#[automatically_derived]
impl<'a_, 'a, T: Ord + 'static, const N: usize> ::core::fmt::Debug
for CounterAt<'a_, 'a, T, N>
where
    T: Clone,
{
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
impl<'a, T: Ord + 'static, const N: usize> Counter<'a, T, N>
where
    T: Clone,
{}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Machine for Counter<'a, T, N>
where
    T: Clone,
{
    type Event = Event<T>;
    type Data = ();
    type Timeout = &'static str;
    type At<'a_> = CounterAt<'a_, 'a, T, N> where Self: 'a_;
    const GRAPH: ::statem::Graph = ::statem::Graph::new(
        "Counter",
        "",
        &[
            ::statem::graph::Vertex::new(
                "Idle",
                "",
                true,
                false,
                &[::statem::graph::Edge::new("Counting", ::core::option::Option::None)],
            ),
            ::statem::graph::Vertex::new(
                "Counting",
                "",
                false,
                false,
                &[::statem::graph::Edge::new("Idle", ::core::option::Option::None)],
            ),
        ],
    );
    fn index(&self) -> usize {
        match self {
            Self::Idle => 0usize,
            Self::Counting(_) => 1usize,
        }
    }
    fn view(
        __slot: ::statem::__private::Slot<'_, Self>,
    ) -> <Self as ::statem::Machine>::At<'_> {
        match ::statem::__private::Slot::state(&__slot) {
            Self::Idle => CounterAt::Idle(::statem::At::new(__slot)),
            Self::Counting(_) => CounterAt::Counting(::statem::At::new(__slot)),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Node<Counter<'a, T, N>> for Idle
where
    T: Clone,
{
    fn wrap(self) -> Counter<'a, T, N> {
        Counter::<'a, T, N>::Idle
    }
    fn unwrap(__machine: Counter<'a, T, N>) -> ::core::option::Option<Self> {
        match __machine {
            Counter::<'a, T, N>::Idle => ::core::option::Option::Some(Self),
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Living<Counter<'a, T, N>> for Idle
where
    T: Clone,
{}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Node<Counter<'a, T, N>>
for module::Counting<'a, T>
where
    T: Clone,
{
    fn wrap(self) -> Counter<'a, T, N> {
        Counter::<'a, T, N>::Counting(self)
    }
    fn unwrap(__machine: Counter<'a, T, N>) -> ::core::option::Option<Self> {
        match __machine {
            Counter::<'a, T, N>::Counting(__state) => {
                ::core::option::Option::Some(__state)
            }
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Payload<Counter<'a, T, N>>
for module::Counting<'a, T>
where
    T: Clone,
{
    fn get<'a_>(__machine: &'a_ Counter<'a, T, N>) -> ::core::option::Option<&'a_ Self> {
        match __machine {
            Counter::<'a, T, N>::Counting(__state) => {
                ::core::option::Option::Some(__state)
            }
            _ => ::core::option::Option::None,
        }
    }
    fn get_mut<'a_>(
        __machine: &'a_ mut Counter<'a, T, N>,
    ) -> ::core::option::Option<&'a_ mut Self> {
        match __machine {
            Counter::<'a, T, N>::Counting(__state) => {
                ::core::option::Option::Some(__state)
            }
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Living<Counter<'a, T, N>>
for module::Counting<'a, T>
where
    T: Clone,
{}
#[automatically_derived]
#[allow(deprecated)]
impl<
    'a,
    T: Ord + 'static,
    const N: usize,
> ::statem::To<module::Counting<'a, T>, Counter<'a, T, N>> for Idle
where
    T: Clone,
{
    #[inline]
    fn machine(__target: module::Counting<'a, T>) -> Counter<'a, T, N> {
        <module::Counting<'a, T> as ::statem::Node<Counter<'a, T, N>>>::wrap(__target)
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::To<Idle, Counter<'a, T, N>>
for module::Counting<'a, T>
where
    T: Clone,
{
    #[inline]
    fn machine(__target: Idle) -> Counter<'a, T, N> {
        <Idle as ::statem::Node<Counter<'a, T, N>>>::wrap(__target)
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl<
    'a,
    T: Ord + 'static,
    const N: usize,
> ::statem::To<::statem::__private::Nowhere, Counter<'a, T, N>> for Counter<'a, T, N>
where
    T: Clone,
{
    fn machine(_: ::statem::__private::Nowhere) -> Counter<'a, T, N> {
        ::core::unreachable!()
    }
}
#[doc(hidden)]
#[diagnostic::do_not_recommend]
#[automatically_derived]
#[allow(deprecated)]
impl<
    'a,
    T: Ord + 'static,
    const N: usize,
> ::statem::To<&::statem::__private::Nowhere, Counter<'a, T, N>> for Counter<'a, T, N>
where
    T: Clone,
{
    fn machine(_: &::statem::__private::Nowhere) -> Counter<'a, T, N> {
        ::core::unreachable!()
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl<'a, T: Ord + 'static, const N: usize> ::statem::Initial<Counter<'a, T, N>> for Idle
where
    T: Clone,
{}
