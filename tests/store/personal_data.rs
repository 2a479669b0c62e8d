//! What is stored about a person is all shown and all erased: the lists are held to the schema.

use std::collections::BTreeSet;
use std::process::Command;

use offhook::notification::verification::NumberSlot;
use offhook::notification::{Answer, Outcome, VoiceAnswer};
use offhook::store::export::export;
use offhook::store::{PinWay, Store};
use offhook::subscriber::{SenderRule, Setting};
use rusqlite::Connection;
use serde_json::Value;

use crate::world::{World, bob, policy};

/// Tables that hold nothing about a person.
const IMPERSONAL: [&str; 6] =
    ["clocks", "code_refusals", "commits", "component_settings", "ring_key", "sqlite_sequence"];
/// What the operator has configured about a subscriber, which stays.
const CONFIGURED: [&str; 8] =
    ["jid", "name", "number", "offline", "language", "quiet", "time_zone", "known"];

#[tokio::test]
async fn export_and_erase_know_every_table_of_the_schema() {
    let mut world = World::new().await;
    fill(&mut world).await;
    let file = world.folder.file();
    world.stop().await;
    let conn = Connection::open(&file).unwrap();
    conn.execute("INSERT INTO erasures VALUES (?)", [bob().jid.as_str()]).unwrap();
    // As a kill leaves it that comes while much is delivered.
    conn.execute("INSERT INTO begun_deliveries VALUES (?, 0, 0)", [bob().jid.as_str()]).unwrap();
    fill_own_settings(&conn);
    drop(conn);

    let stored = rows(&file);
    let known: BTreeSet<&str> = stored.iter().map(|(table, _)| table.as_str()).collect();
    let missing: Vec<_> =
        tables(&file).into_iter().filter(|table| !known.contains(table.as_str())).collect();
    assert_eq!(missing, IMPERSONAL, "tables that export and erase do not know");
    for (table, rows) in &stored {
        assert!(!rows.is_empty(), "nothing of Bob is shown from {table}, though it is there");
    }

    let store = Store::open(&file, policy()).unwrap();
    store.recover(world.now).await.unwrap();
    assert!(store.erase(&bob().jid, world.now).await.unwrap());
    store.close().await;
    for (table, rows) in rows(&file) {
        match rows.as_slice() {
            [Value::Object(bob)] if table == "subscribers" => {
                let own = bob.iter().filter(|(column, _)| !CONFIGURED.contains(&column.as_str()));
                let left: Vec<_> = own.filter(|(_, value)| !is_unset(value)).collect();
                assert!(left.is_empty(), "his own settings that are left: {left:?}");
            }
            rows => assert!(rows.is_empty(), "left in {table}: {rows:?}"),
        }
    }
}

/// What `sqlite3` of Debian 12 does: the operator's way in at night.
#[tokio::test]
async fn the_operators_sqlite3_can_write_to_the_tables() {
    let mut world = World::new().await;
    let first = world.alice_writes("Hällo").await;
    world.alice_writes("Hello").await;
    let file = world.folder.file();
    world.stop().await;
    let schema: String = Connection::open(&file)
        .unwrap()
        .query_row("SELECT group_concat(sql) FROM sqlite_master", [], |row| row.get(0))
        .unwrap();
    assert!(!schema.contains("octet_length"), "SQLite 3.40 does not know octet_length");
    let sql = format!(
        "PRAGMA foreign_keys = ON; UPDATE messages SET body = 'Hö' WHERE id = {first}; \
         DELETE FROM messages WHERE id = {first}; \
         UPDATE messages SET ended = 1, ending = 'expired'; SELECT held, bytes FROM tallies;",
        first = first.0
    );
    let said = Command::new("sqlite3").arg(&file).arg(sql).output();
    let Ok(said) = said else { return eprintln!("sqlite3 is not installed") };
    let (out, error) =
        (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert_eq!((out.trim(), error.trim()), ("0|0", ""), "nothing is held, so nothing is counted");
}

/// Lets every table have something of Bob's.
async fn fill(world: &mut World) {
    let bob = bob().jid;
    let block = vec![Setting::Sender("eve@example.org".parse().unwrap(), SenderRule::Block)];
    world.store().set(&bob, block, world.now).await.unwrap();
    let number = "+81378904444".parse().unwrap();
    let code = world.store().ask_code(&bob, number, NumberSlot::Second, world.now).await.unwrap();
    let code = code.unwrap();
    world.store().code_spoken(code.id, world.now).await.unwrap();
    world.store().try_code(&bob, code.digits, world.now).await.unwrap();
    world.store().wrong_pin(&bob, PinWay::OwnPhone, world.now).await.unwrap();
    let message = world.alice_writes("For Bob").await;
    world.corrects("alice-1", "c1", "For you").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.spoken(&claim, message).await;
    let sound = b"a voice".to_vec();
    let length = std::time::Duration::from_secs(3);
    let voice = VoiceAnswer { message, name: "name".to_owned(), sound, length, cut: false };
    world.store().keep_voice(claim.attempt, voice, world.now).await.unwrap();
    let answer = Answer { message, key: '1', words: "Later.".to_owned() };
    world.store().commit_answer(claim.attempt, answer, world.now).await.unwrap();
    world.settle(&claim, Outcome::Answered).await;
}

/// Sets every column of a subscriber that is not configured, also one that is added later.
fn fill_own_settings(conn: &Connection) {
    let mut columns = conn.prepare("SELECT name FROM pragma_table_info('subscribers')").unwrap();
    let columns = columns.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for column in columns.map(Result::unwrap).filter(|it| !CONFIGURED.contains(&it.as_str())) {
        let set = |value: &str| {
            let sql = format!("UPDATE subscribers SET {column} = {value}");
            conn.execute(&sql, []).is_ok()
        };
        let fits = ["1", "'phone'", "'contacts'", "'x'", "x'01'"].into_iter().any(set);
        assert!(fits, "no value for {column}");
    }
}

fn is_unset(value: &Value) -> bool {
    value.is_null() || *value == 0
}

fn tables(file: &std::path::Path) -> Vec<String> {
    let conn = Connection::open(file).unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut find = conn.prepare(sql).unwrap();
    find.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// What is exported of Bob, table by table.
fn rows(file: &std::path::Path) -> Vec<(String, Vec<Value>)> {
    let all = export(file, &bob().jid).unwrap();
    let stored = all["stored"].as_object().unwrap();
    stored.iter().map(|(table, rows)| (table.clone(), rows.as_array().unwrap().clone())).collect()
}
