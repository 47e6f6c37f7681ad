//! The other clients, as they are by default.

use bytes::Bytes;
use fred::interfaces::{ClientLike, KeysInterface};
use redis::aio::ConnectionManager;

use super::Client;

#[derive(Clone)]
pub(crate) struct RedisRs(ConnectionManager);

impl Client for RedisRs {
    type Value = Vec<u8>;

    async fn connect(address: &str) -> Self {
        let client = redis::Client::open(format!("redis://{address}")).expect("it is an address");
        let manager = client.get_connection_manager().await;
        RedisRs(manager.expect("the server accepts"))
    }

    async fn get(&self, key: &str) -> Vec<u8> {
        let (mut get, mut manager) = (redis::cmd("GET"), self.0.clone());
        let answer = get.arg(key).query_async(&mut manager).await;
        answer.expect("the server answers")
    }
}

#[derive(Clone)]
pub(crate) struct Fred(fred::clients::Client);

impl Client for Fred {
    type Value = Bytes;

    async fn connect(address: &str) -> Self {
        let config = fred::types::config::Config::from_url(&format!("redis://{address}"));
        let client =
            fred::clients::Client::new(config.expect("it is an address"), None, None, None);
        client.init().await.expect("the server accepts");
        Fred(client)
    }

    async fn get(&self, key: &str) -> Bytes {
        self.0.get(key).await.expect("the server answers")
    }
}
