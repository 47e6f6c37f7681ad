//! What `Debug` shows: where and how far it is, and nothing of the user's.

use std::fmt::Debug;
use std::marker::PhantomData;

use statem::Handler;
use statem::net::{
    ById, Client, ClientBuilder, ClientCall, ClientMachine, Feed, FeedStream, InOrder, Link,
    Policy, Protocol, Queue, Queued, Received, Sent, ServerBuilder, ServerMachine,
};
use tokio_util::codec::{Decoder, Encoder};

use crate::support::{Fate, Network, SECOND};

/// A protocol that cannot show anything.
struct Mute;

/// Neither can what it is asked and answers.
struct Word;

struct MuteCodec;

impl Protocol for Mute {
    type Codec = MuteCodec;
    type Request = Word;
    type Response = Word;

    fn codec(&self) -> MuteCodec {
        MuteCodec
    }

    fn receive(&mut self, word: Word, _: &mut Vec<Word>) -> Received<Word> {
        Received::Push(word)
    }
}

impl Decoder for MuteCodec {
    type Item = Word;
    type Error = std::io::Error;

    fn decode(&mut self, _: &mut bytes::BytesMut) -> std::io::Result<Option<Word>> {
        Ok(None)
    }
}

impl Encoder<Word> for MuteCodec {
    type Error = std::io::Error;

    fn encode(&mut self, _: Word, _: &mut bytes::BytesMut) -> std::io::Result<()> {
        Ok(())
    }
}

fn is_shown<T: Debug>(_: PhantomData<T>) {}

fn is_all_of_it_shown<M>(_: PhantomData<M>)
where
    M: Handler + Debug,
    M::Event: Debug,
    M::Data: Debug,
{
}

#[test]
fn what_holds_something_of_the_users_is_shown_although_that_cannot_be() {
    is_shown(PhantomData::<Client<Mute>>);
    is_shown(PhantomData::<ClientBuilder<Mute>>);
    is_shown(PhantomData::<ClientCall<'_, Mute>>);
    is_shown(PhantomData::<(Feed<Word>, FeedStream<Word>)>);
    is_shown(PhantomData::<(Queue<Word, Word>, Queued<Word, Word>)>);
    is_shown(PhantomData::<(InOrder<Word, Word>, ById<Word, Word>, Sent<Word, Word>)>);
    is_shown(PhantomData::<Link<MuteCodec>>);
    is_shown(PhantomData::<ServerBuilder>);
    is_all_of_it_shown(PhantomData::<ClientMachine<Mute>>);
    is_all_of_it_shown(PhantomData::<ServerMachine>);
}

#[test]
fn a_builder_shows_whom_it_connects_to() {
    let network = Network::new(Fate::Accept);
    let builder = Client::builder(Mute, network.connector()).limit(3 * SECOND);
    let shown = format!("{:?}", builder.policy(Policy::FailFast));
    for word in ["127.0.0.1", "4000", "3s", "FailFast"] {
        assert!(shown.contains(word), "no {word:?} in {shown}");
    }
}
