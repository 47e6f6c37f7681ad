#[doc(hidden)]
#[allow(missing_docs, dead_code, non_camel_case_types, unreachable_pub)]
pub type ConnectionClientMistake = <[(); ::core::compile_error! {
    "`#[client(..)]` has no key `colour`\nits keys are: `machine`, `name`, `crate`"
}] as ::core::ops::Deref>::Target;
::core::compile_error! {
    "`Put` is a call without a way back: give it a field of type `Reply<..>`, or mark it `#[cast]`"
}
::core::compile_error! {
    "`GET` gives the client a second method `get`: rename one of the variants"
}
::core::compile_error! {
    "`Get`, which gives the first `get`, is here"
}
/// A client of `Connection`: what can be asked of it, as methods.
///
/// Its clones are clients of the same machine, which ends when the last of them and of its
/// handles is dropped.
#[allow(dead_code, unreachable_pub)]
pub struct ConnectionClient {
    handle: ::statem::Handle<Connection>,
}
#[automatically_derived]
#[allow(
    missing_docs,
    dead_code,
    clippy::too_many_arguments,
    unreachable_pub,
    unused_variables
)]
impl ConnectionClient {
    pub fn get(&self, key: String) -> ConnectionClientMistake {
        let _: ::core::time::Duration = LIMIT;
        ::core::unimplemented!()
    }
    pub fn put(&self, key: String) -> ConnectionClientMistake {
        ::core::unimplemented!()
    }
    pub fn meant(&self, value: u8) -> ConnectionClientMistake {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::core::convert::From<::statem::Handle<Connection>> for ConnectionClient {
    fn from(_: ::statem::Handle<Connection>) -> Self {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::core::clone::Clone for ConnectionClient {
    fn clone(&self) -> Self {
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for ConnectionClient {
    fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::unimplemented!()
    }
}
