use super::documents::in_order;
use crate::db::{Database, DatabaseOptions};
use crate::edit::first_mark;
use crate::engine::{Beginning, Engine, Settings};
use crate::env::block_on;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use bytes::Bytes;
use futures_util::FutureExt as _;
use std::rc::Rc;

/// A piece of a database that PouchDB has left on the disk, as its text, and one content of an attachment beside it.
pub fn adoption(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    block_on(async {
        let beginning = async { Ok(Beginning { instance: None, first_commit: Some(first_mark("0")) }) };
        let storage = Box::new(MemoryStorage::on(Rc::<MemoryDisk>::default()));
        let engine = Engine::open_from(storage, Settings::default(), Some(beginning.boxed_local()));
        let engine = engine.await.expect("memory can be opened");
        let database = Database::over(engine, DatabaseOptions::in_memory());
        // With the mark that it leaves, the second time it may be what follows, and has every document anew.
        for _ in 0..2 {
            let before = database.adoption_mark().expect("it is open");
            let content = Bytes::from_static(b"foo").into();
            match database.adopt(text, vec![content]).await {
                Ok(mark) => assert_eq!(database.adoption_mark().expect("it is open"), mark),
                Err(_) => assert_eq!(database.adoption_mark().expect("it is open"), before),
            }
            in_order(&database).await;
        }
        // What is there can be edited and thrown away.
        let edits = r#"[{"_id":"a"},{"_id":"b","_rev":"2-b"},{"_id":"_local/c","_rev":"0-3"}]"#;
        database.bulk_docs(edits, "{}").await.expect("documents have their own errors");
        database.compact().await.expect("memory can be written");
        in_order(&database).await;
    });
}
