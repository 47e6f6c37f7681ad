//! The client of the example, as it is by default.

use bytes::Bytes;
use statem_examples::redis_client::client::Redis;
use statem_examples::redis_client::value::Value;

use super::Client;

#[derive(Clone)]
pub(crate) struct Statem(Redis);

impl Client for Statem {
    type Value = Bytes;

    async fn connect(address: &str) -> Self {
        let redis = Redis::connect(&format!("redis://{address}"));
        Statem(redis.expect("it is an address"))
    }

    async fn get(&self, key: &str) -> Bytes {
        match self.0.call(["GET", key]).await {
            Ok(Ok(Value::Data(data))) => data,
            other => panic!("the answer is {other:?}"),
        }
    }
}
