#[doc(hidden)]
#[allow(missing_docs, dead_code, non_camel_case_types, non_snake_case, unreachable_pub)]
mod MachineMistakes {
    #[doc(hidden)]
    #[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
    pub type MachineMistake = <[(); ::core::compile_error! {
        "`#[machine(..)]` has no key `dota`; did you mean `data`?\nits keys are: `event`, `data`, `timeout`, `handlers`, `unexpected`, `keep_abandoned`, `shutdown`, `crate`"
    }] as ::core::ops::Deref>::Target;
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
struct Only;
#[allow(
    missing_docs,
    dead_code,
    non_camel_case_types,
    private_interfaces,
    unreachable_pub
)]
enum MachineAt<'a> {
    Only(::statem::At<'a, Machine, MachineMistake>),
}
#[automatically_derived]
#[allow(missing_docs, dead_code, unreachable_pub)]
impl<'a> MachineAt<'a> {
    fn go<Target>(self, _: Target) -> ::statem::Next<Machine> {
        ::core::unimplemented!()
    }
    #[must_use]
    fn name(&self) -> &'static str {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::Machine for Machine {
    type Event = Event;
    type Data = MachineMistake;
    type Timeout = MachineMistake;
    type At<'a> = MachineAt<'a> where Self: 'a;
    const GRAPH: ::statem::Graph = ::statem::Graph::new("", "", &[]);
    fn index(&self) -> usize {
        ::core::unimplemented!()
    }
    fn view(
        _: ::statem::__private::Slot<'_, Self>,
    ) -> <Self as ::statem::Machine>::At<'_> {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::Living<Machine> for Only {}
#[automatically_derived]
impl ::statem::Node<Machine> for Only {
    fn wrap(self) -> Machine {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Initial<Machine> for Only {}
#[automatically_derived]
impl ::statem::To<Only, Machine> for Only {
    fn machine(_: Only) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Only, Machine> for Machine {
    fn machine(_: Only) -> Machine {
        ::core::unimplemented!()
    }
}
