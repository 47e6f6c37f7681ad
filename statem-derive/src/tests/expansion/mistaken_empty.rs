#[doc(hidden)]
#[allow(missing_docs, dead_code, non_camel_case_types, non_snake_case, unreachable_pub)]
mod MachineMistakes {
    #[doc(hidden)]
    #[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
    pub type MachineMistake = <[(); ::core::compile_error! {
        "`Machine` has no states: write a variant for each state that the machine can be in"
    }] as ::core::ops::Deref>::Target;
}
#[allow(unused_imports)]
use MachineMistakes::*;
#[allow(
    missing_docs,
    dead_code,
    non_camel_case_types,
    private_interfaces,
    unreachable_pub
)]
enum MachineAt<'a, T> {
    #[doc(hidden)]
    Mistake(::core::marker::PhantomData<&'a Machine<T>>),
}
#[automatically_derived]
#[allow(missing_docs, dead_code, unreachable_pub)]
impl<'a, T> MachineAt<'a, T> {
    fn go<Target>(self, _: Target) -> ::statem::Next<Machine<T>> {
        ::core::unimplemented!()
    }
    #[must_use]
    fn name(&self) -> &'static str {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<T> ::statem::Machine for Machine<T> {
    type Event = Event;
    type Data = ();
    type Timeout = &'static str;
    type At<'a> = MachineAt<'a, T> where Self: 'a;
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
