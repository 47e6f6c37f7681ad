#[doc(hidden)]
#[allow(missing_docs, dead_code, non_camel_case_types, non_snake_case, unreachable_pub)]
mod MachineMistakes {
    #[doc(hidden)]
    #[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
    pub type MachineMistake = <[(); ::core::compile_error! {
        "`#[machine(..)]` has no key `colour`\nits keys are: `event`, `data`, `timeout`, `handlers`, `unexpected`, `keep_abandoned`, `shutdown`, `crate`"
    }] as ::core::ops::Deref>::Target;
    ::core::compile_error! {
        "the state `Named` has named fields; its data is one struct, so that it moves as one and names the state in `go`\nwrite `Named(Named)` here and `struct Named { .. }` with these fields"
    }
    ::core::compile_error! {
        "the state `Two` has several fields; its data is one struct, so that it moves as one and names the state in `go`\nwrite `Two(Two)` here and `struct Two { .. }` with these fields"
    }
    ::core::compile_error! {
        "the state `Other` has several fields; its data is one struct, so that it moves as one and names the state in `go`\nwrite `Other(Other)` here and `struct Other { .. }` with these fields"
    }
    ::core::compile_error! {
        "the data of `Pair` is a tuple, and not a struct of its own, which names the state in `go`\nwrite `Pair(Pair)` here and a `struct Pair` with this as a field"
    }
    ::core::compile_error! {
        "the data of `OfItself` is a reference, and not a struct of its own, which names the state in `go`\nwrite `OfItself(OfItself)` here and a `struct OfItself` with this as a field"
    }
    ::core::compile_error! {
        "`Braced {}` has brackets without data in them: write `Braced`"
    }
    ::core::compile_error! {
        "the state `Nested` has several fields; its data is one struct, so that it moves as one and names the state in `go`\nwrite `Nested(Nested)` here and `struct Nested { .. }` with these fields"
    }
    ::core::compile_error! {
        "the state `Held` has named fields; its data is one struct, so that it moves as one and names the state in `go`\nwrite `Held(Held)` here and `struct Held { .. }` with these fields"
    }
    ::core::compile_error! {
        "`Named` has no way out: no transition leaves it, and it is not terminal\nwrite `#[to(..)]` above it with the states that may come next, `#[terminal]` if the machine ends there,\nor `#[to()]` if it stays there until it is stopped"
    }
    ::core::compile_error! {
        "`Two` has no way out: no transition leaves it, and it is not terminal\nwrite `#[to(..)]` above it with the states that may come next, `#[terminal]` if the machine ends there,\nor `#[to()]` if it stays there until it is stopped"
    }
    ::core::compile_error! {
        "`Machine` is the name of the machine already, and a state without data is a type of that name: rename it"
    }
    pub type Named = MachineMistake;
    pub type Other = MachineMistake;
    pub type OfItself = MachineMistake;
    pub type Held = MachineMistake;
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
pub struct Unit;
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
)]
#[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
pub struct Braced;
#[allow(
    missing_docs,
    dead_code,
    non_camel_case_types,
    private_interfaces,
    unreachable_pub
)]
pub enum MachineAt<'a> {
    Unit(::statem::At<'a, Machine, MachineMistake>),
    Named(::statem::At<'a, Machine, MachineMistake>),
    Two(::statem::At<'a, Machine, MachineMistake>),
    Other(::statem::At<'a, Machine, MachineMistake>),
    One(::statem::At<'a, Machine, MachineMistake>),
    Same(::statem::At<'a, Machine, MachineMistake>),
    Pair(::statem::At<'a, Machine, MachineMistake>),
    OfItself(::statem::At<'a, Machine, MachineMistake>),
    Machine(::statem::At<'a, Machine, MachineMistake>),
    Braced(::statem::At<'a, Machine, MachineMistake>),
    Nested(::statem::At<'a, Machine, MachineMistake>),
    Held(::statem::At<'a, Machine, MachineMistake>),
}
#[automatically_derived]
#[allow(missing_docs, dead_code, unreachable_pub)]
impl<'a> MachineAt<'a> {
    pub fn go<Target>(self, _: Target) -> ::statem::Next<Machine> {
        ::core::unimplemented!()
    }
    #[must_use]
    pub fn name(&self) -> &'static str {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::Machine for Machine {
    type Event = MachineMistake;
    type Data = u32;
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
impl ::statem::Living<Machine> for Unit {}
#[automatically_derived]
impl ::statem::Node<Machine> for Unit {
    fn wrap(self) -> Machine {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Initial<Machine> for Unit {}
#[automatically_derived]
impl ::statem::Living<Machine> for Two {}
#[automatically_derived]
impl ::statem::Node<Machine> for Two {
    fn wrap(self) -> Machine {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Payload<Machine> for Two {
    fn get(_: &Machine) -> ::core::option::Option<&Self> {
        ::core::option::Option::None
    }
    fn get_mut(_: &mut Machine) -> ::core::option::Option<&mut Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Initial<Machine> for Two {}
#[automatically_derived]
impl ::statem::Living<Machine> for One {}
#[automatically_derived]
impl ::statem::Node<Machine> for One {
    fn wrap(self) -> Machine {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Payload<Machine> for One {
    fn get(_: &Machine) -> ::core::option::Option<&Self> {
        ::core::option::Option::None
    }
    fn get_mut(_: &mut Machine) -> ::core::option::Option<&mut Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Initial<Machine> for One {}
#[automatically_derived]
impl ::statem::Living<Machine> for (u32, u8) {}
#[automatically_derived]
impl ::statem::Node<Machine> for (u32, u8) {
    fn wrap(self) -> Machine {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Payload<Machine> for (u32, u8) {
    fn get(_: &Machine) -> ::core::option::Option<&Self> {
        ::core::option::Option::None
    }
    fn get_mut(_: &mut Machine) -> ::core::option::Option<&mut Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Initial<Machine> for (u32, u8) {}
#[automatically_derived]
impl ::statem::Living<Machine> for Braced {}
#[automatically_derived]
impl ::statem::Node<Machine> for Braced {
    fn wrap(self) -> Machine {
        ::core::unimplemented!()
    }
    fn unwrap(_: Machine) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::statem::Initial<Machine> for Braced {}
#[automatically_derived]
impl ::statem::To<Unit, Machine> for Unit {
    fn machine(_: Unit) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Two, Machine> for Unit {
    fn machine(_: Two) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<One, Machine> for Unit {
    fn machine(_: One) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<(u32, u8), Machine> for Unit {
    fn machine(_: (u32, u8)) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Braced, Machine> for Unit {
    fn machine(_: Braced) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Unit, Machine> for Two {
    fn machine(_: Unit) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Two, Machine> for Two {
    fn machine(_: Two) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<One, Machine> for Two {
    fn machine(_: One) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<(u32, u8), Machine> for Two {
    fn machine(_: (u32, u8)) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Braced, Machine> for Two {
    fn machine(_: Braced) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Unit, Machine> for One {
    fn machine(_: Unit) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Two, Machine> for One {
    fn machine(_: Two) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<One, Machine> for One {
    fn machine(_: One) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<(u32, u8), Machine> for One {
    fn machine(_: (u32, u8)) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Braced, Machine> for One {
    fn machine(_: Braced) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Unit, Machine> for (u32, u8) {
    fn machine(_: Unit) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Two, Machine> for (u32, u8) {
    fn machine(_: Two) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<One, Machine> for (u32, u8) {
    fn machine(_: One) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<(u32, u8), Machine> for (u32, u8) {
    fn machine(_: (u32, u8)) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Braced, Machine> for (u32, u8) {
    fn machine(_: Braced) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Unit, Machine> for Braced {
    fn machine(_: Unit) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Two, Machine> for Braced {
    fn machine(_: Two) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<One, Machine> for Braced {
    fn machine(_: One) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<(u32, u8), Machine> for Braced {
    fn machine(_: (u32, u8)) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Braced, Machine> for Braced {
    fn machine(_: Braced) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Unit, Machine> for Machine {
    fn machine(_: Unit) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Two, Machine> for Machine {
    fn machine(_: Two) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<One, Machine> for Machine {
    fn machine(_: One) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<(u32, u8), Machine> for Machine {
    fn machine(_: (u32, u8)) -> Machine {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::statem::To<Braced, Machine> for Machine {
    fn machine(_: Braced) -> Machine {
        ::core::unimplemented!()
    }
}
