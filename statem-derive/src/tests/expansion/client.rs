/// A client of `Connection`: what can be asked of it, as methods.
///
/// Its clones are clients of the same machine, which ends when the last of them and of its
/// handles is dropped.
#[allow(dead_code, unreachable_pub)]
pub(crate) struct Redis {
    handle: ::statem::Handle<Connection>,
}
const _: () = {
    const __FOUND: usize = {
        let _ = ::core::marker::PhantomData::<::statem::Handle<Connection>>;
        0
    };
    type __Machine = <[Connection; __FOUND] as ::core::iter::IntoIterator>::Item;
    #[automatically_derived]
    #[allow(clippy::too_many_arguments, dead_code, deprecated, unreachable_pub)]
    impl Redis {
        /// Gets it.
        ///
        /// Its limit is `Duration::from_secs (5)` unless it is given another one.
        pub(crate) fn get(&self, key: String) -> impl ::statem::Request<String> + '_ {
            let __handle: &::statem::Handle<__Machine> = &self.handle;
            let __limit: ::core::time::Duration = Duration::from_secs(5);
            ::statem::Call::limit(
                ::statem::Handle::call(
                    __handle,
                    move |__reply: ::statem::Reply<String>| <Event as ::statem::IsEvent<
                        <__Machine as ::statem::Machine>::Event,
                    >>::into_event(Event::Get {
                        key: key,
                        reply: __reply,
                    }),
                ),
                __limit,
            )
        }
        /// Asks the machine by `Put` and waits for the answer.
        pub(crate) fn put(
            &self,
            value: Vec<u8>,
        ) -> impl ::statem::Request<(), Full> + '_ {
            let __handle: &::statem::Handle<__Machine> = &self.handle;
            ::statem::Handle::call(
                __handle,
                move |__reply: ::statem::Reply<(), Full>| <Event as ::statem::IsEvent<
                    <__Machine as ::statem::Machine>::Event,
                >>::into_event(Event::Put(__reply, value)),
            )
        }
        #[deprecated]
        /// Tells the machine by `Forget`.
        pub(crate) async fn forget(
            &self,
            value: String,
        ) -> ::core::result::Result<(), ::statem::CastErrorKind> {
            let __handle: &::statem::Handle<__Machine> = &self.handle;
            ::core::result::Result::map_err(
                ::statem::Handle::cast(
                        __handle,
                        <Event as ::statem::IsEvent<
                            <__Machine as ::statem::Machine>::Event,
                        >>::into_event(Event::Forget(value)),
                    )
                    .await,
                |__value| __value.kind,
            )
        }
        /// Tells the machine by `Flush`.
        pub(crate) async fn flush(
            &self,
        ) -> ::core::result::Result<(), ::statem::CastErrorKind> {
            let __handle: &::statem::Handle<__Machine> = &self.handle;
            ::core::result::Result::map_err(
                ::statem::Handle::cast(
                        __handle,
                        <Event as ::statem::IsEvent<
                            <__Machine as ::statem::Machine>::Event,
                        >>::into_event(Event::Flush),
                    )
                    .await,
                |__value| __value.kind,
            )
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<::statem::Handle<Connection>> for Redis {
        fn from(__value: ::statem::Handle<Connection>) -> Self {
            Self { handle: __value }
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for Redis {
        fn clone(&self) -> Self {
            let __handle: &::statem::Handle<__Machine> = &self.handle;
            Self {
                handle: ::core::clone::Clone::clone(__handle),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for Redis {
        fn fmt(&self, __value: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            let __handle: &::statem::Handle<__Machine> = &self.handle;
            ::core::fmt::DebugStruct::finish(
                ::core::fmt::DebugStruct::field(
                    &mut ::core::fmt::Formatter::debug_struct(__value, "Redis"),
                    "handle",
                    __handle,
                ),
            )
        }
    }
};
