#[doc(hidden)]
#[allow(missing_docs, dead_code, non_camel_case_types, non_snake_case, unreachable_pub)]
mod MachineMistakes {
    #[doc(hidden)]
    #[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
    pub type MachineMistake = <[(); ::core::compile_error! {
        "`Ready` has no way out: no transition leaves it, and it is not terminal\nwrite `#[to(..)]` above it with the states that may come next, `#[terminal]` if the machine ends there,\nor `#[to()]` if it stays there until it is stopped"
    }] as ::core::ops::Deref>::Target;
    ::core::compile_error! {
        "`T` is the name of a parameter of the machine already, and a state without data is a type of that name: rename it"
    }
}
#[allow(unused_imports)]
use MachineMistakes::*;
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
pub(crate) struct Idle;
#[allow(
    missing_docs,
    dead_code,
    non_camel_case_types,
    private_interfaces,
    unreachable_pub
)]
pub(crate) enum MachineAt<'a_, 'a, T: Ord>
where
    T: Clone,
{
    Idle(vendored::At<'a_, Machine<'a, T>, MachineMistake>),
    Ready(vendored::At<'a_, Machine<'a, T>, MachineMistake>),
    T(vendored::At<'a_, Machine<'a, T>, MachineMistake>),
}
#[automatically_derived]
#[allow(missing_docs, dead_code, unreachable_pub)]
impl<'a_, 'a, T: Ord> MachineAt<'a_, 'a, T>
where
    T: Clone,
{
    pub(crate) fn go<Target>(self, _: Target) -> vendored::Next<Machine<'a, T>> {
        ::core::unimplemented!()
    }
    #[must_use]
    pub(crate) fn name(&self) -> &'static str {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::Machine for Machine<'a, T>
where
    T: Clone,
{
    type Event = Event;
    type Data = ();
    type Timeout = Name;
    type At<'a_> = MachineAt<'a_, 'a, T> where Self: 'a_;
    const GRAPH: vendored::Graph = vendored::Graph::new("", "", &[]);
    fn index(&self) -> usize {
        ::core::unimplemented!()
    }
    fn view(
        _: vendored::__private::Slot<'_, Self>,
    ) -> <Self as vendored::Machine>::At<'_> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::Living<Machine<'a, T>> for Idle
where
    T: Clone,
{}
#[automatically_derived]
impl<'a, T: Ord> vendored::Node<Machine<'a, T>> for Idle
where
    T: Clone,
{
    fn wrap(self) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine<'a, T>) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::Initial<Machine<'a, T>> for Idle
where
    T: Clone,
{}
#[automatically_derived]
impl<'a, T: Ord> vendored::Living<Machine<'a, T>> for Ready<'a, T>
where
    T: Clone,
{}
#[automatically_derived]
impl<'a, T: Ord> vendored::Node<Machine<'a, T>> for Ready<'a, T>
where
    T: Clone,
{
    fn wrap(self) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine<'a, T>) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::Payload<Machine<'a, T>> for Ready<'a, T>
where
    T: Clone,
{
    fn get<'a_>(_: &'a_ Machine<'a, T>) -> ::core::option::Option<&'a_ Self> {
        ::core::option::Option::None
    }
    fn get_mut<'a_>(
        _: &'a_ mut Machine<'a, T>,
    ) -> ::core::option::Option<&'a_ mut Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::Initial<Machine<'a, T>> for Ready<'a, T>
where
    T: Clone,
{}
#[automatically_derived]
impl<'a, T: Ord> vendored::To<Idle, Machine<'a, T>> for Idle
where
    T: Clone,
{
    fn machine(_: Idle) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::To<Ready<'a, T>, Machine<'a, T>> for Idle
where
    T: Clone,
{
    fn machine(_: Ready<'a, T>) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::To<Idle, Machine<'a, T>> for Ready<'a, T>
where
    T: Clone,
{
    fn machine(_: Idle) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::To<Ready<'a, T>, Machine<'a, T>> for Ready<'a, T>
where
    T: Clone,
{
    fn machine(_: Ready<'a, T>) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::To<Idle, Machine<'a, T>> for Machine<'a, T>
where
    T: Clone,
{
    fn machine(_: Idle) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::To<Ready<'a, T>, Machine<'a, T>> for Machine<'a, T>
where
    T: Clone,
{
    fn machine(_: Ready<'a, T>) -> Machine<'a, T> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<'a, T: Ord> vendored::Handler for Machine<'a, T>
where
    T: Clone,
{
    fn handle(
        _: <Self as vendored::Machine>::At<'_>,
        _: <Self as vendored::Machine>::Event,
        _: &mut <Self as vendored::Machine>::Data,
        _: &mut vendored::Cx<Self>,
    ) -> vendored::Next<Self> {
        ::core::unimplemented!()
    }
}
