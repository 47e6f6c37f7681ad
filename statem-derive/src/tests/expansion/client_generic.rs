/// A client of `Connection<'a, T, N>`: what can be asked of it, as methods.
///
/// Its clones are clients of the same machine, which ends when the last of them and of its
/// handles is dropped.
#[allow(dead_code, unreachable_pub)]
struct ConnectionClient<'a, T: Transport = Tcp, const N: usize = 3>
where
    T: Clone,
{
    handle: vendored::machines::Handle<Connection<'a, T, N>>,
}
const _: () = {
    #[automatically_derived]
    #[allow(clippy::too_many_arguments, dead_code, deprecated, unreachable_pub)]
    impl<'a, T: Transport, const N: usize> ConnectionClient<'a, T, N>
    where
        T: Clone,
    {
        /// Asks the machine by `Get` and waits for the answer.
        fn get(
            &self,
            value: &'a T,
        ) -> impl vendored::machines::Request<u8> + use<'_, 'a, T, N> {
            let __handle: &vendored::machines::Handle<Connection<'a, T, N>> = &self
                .handle;
            vendored::machines::Handle::call(
                __handle,
                move |__reply: vendored::machines::Reply<u8>| <Event<
                    'a,
                    T,
                    N,
                > as vendored::machines::IsEvent<
                    <Connection<'a, T, N> as vendored::machines::Machine>::Event,
                >>::into_event(Event::Get(value, __reply)),
            )
        }
        /// Tells the machine by `Forget`.
        async fn forget(
            &self,
            key: T,
        ) -> ::core::result::Result<(), vendored::machines::CastErrorKind> {
            let __handle: &vendored::machines::Handle<Connection<'a, T, N>> = &self
                .handle;
            ::core::result::Result::map_err(
                vendored::machines::Handle::cast(
                        __handle,
                        <Event<
                            'a,
                            T,
                            N,
                        > as vendored::machines::IsEvent<
                            <Connection<'a, T, N> as vendored::machines::Machine>::Event,
                        >>::into_event(Event::Forget { key: key }),
                    )
                    .await,
                |__value| __value.kind,
            )
        }
    }
    #[automatically_derived]
    impl<
        'a,
        T: Transport,
        const N: usize,
    > ::core::convert::From<vendored::machines::Handle<Connection<'a, T, N>>>
    for ConnectionClient<'a, T, N>
    where
        T: Clone,
    {
        fn from(__value: vendored::machines::Handle<Connection<'a, T, N>>) -> Self {
            Self { handle: __value }
        }
    }
    #[automatically_derived]
    impl<'a, T: Transport, const N: usize> ::core::clone::Clone
    for ConnectionClient<'a, T, N>
    where
        T: Clone,
    {
        fn clone(&self) -> Self {
            let __handle: &vendored::machines::Handle<Connection<'a, T, N>> = &self
                .handle;
            Self {
                handle: ::core::clone::Clone::clone(__handle),
            }
        }
    }
    #[automatically_derived]
    impl<'a, T: Transport, const N: usize> ::core::fmt::Debug
    for ConnectionClient<'a, T, N>
    where
        T: Clone,
    {
        fn fmt(&self, __value: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            let __handle: &vendored::machines::Handle<Connection<'a, T, N>> = &self
                .handle;
            ::core::fmt::DebugStruct::finish(
                ::core::fmt::DebugStruct::field(
                    &mut ::core::fmt::Formatter::debug_struct(
                        __value,
                        "ConnectionClient",
                    ),
                    "handle",
                    __handle,
                ),
            )
        }
    }
};
