#[doc(hidden)]
#[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
pub type RedisMistake = <[(); ::core::compile_error! {
    "nothing says whose event `Event` is: add `machine = Connection` to `#[client(..)]`,\nwhere `Connection` is the machine with `#[machine(event = Event)]`"
}] as ::core::ops::Deref>::Target;
/// A client of `()`: what can be asked of it, as methods.
///
/// Its clones are clients of the same machine, which ends when the last of them and of its
/// handles is dropped.
#[allow(dead_code, unreachable_pub)]
struct Redis<T> {
    handle: RedisMistake,
    __unused: ::core::marker::PhantomData<fn() -> Event<T>>,
}
#[automatically_derived]
#[allow(
    missing_docs,
    dead_code,
    clippy::too_many_arguments,
    unreachable_pub,
    unused_variables
)]
impl<T> Redis<T> {
    fn get(&self, value: T) -> RedisMistake {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<T, __Machine: ::statem::Machine> ::core::convert::From<::statem::Handle<__Machine>>
for Redis<T> {
    fn from(_: ::statem::Handle<__Machine>) -> Self {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<T> ::core::clone::Clone for Redis<T> {
    fn clone(&self) -> Self {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl<T> ::core::fmt::Debug for Redis<T> {
    fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::unimplemented!()
    }
}
