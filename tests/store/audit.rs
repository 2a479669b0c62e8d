//! Who did what: added to, kept whatever is erased, and gone after ninety days.

use std::time::Duration;

use offhook::store::{AuditAction, AuditRecord, Reader};
use offhook::subscriber::{Quiet, SenderRule, Setting, WhenOffline};
use rusqlite::Connection;
use xmpp_parsers::jid::Jid;

use crate::world::{World, bob};

fn rows(world: &World) -> Vec<AuditRecord> {
    let mut rows = Reader::open(&world.folder.file()).unwrap().audit_list(100).unwrap();
    rows.reverse();
    rows
}

#[tokio::test]
async fn each_change_has_a_row_with_its_client_and_hashes_of_the_values() {
    let world = World::new().await;
    let from = Jid::new("bob@example.org/phone").unwrap();
    let settings = vec![
        Setting::Offline(WhenOffline::Store),
        Setting::Quiet(Some(Quiet::Never)),
        Setting::Sender("eve@example.org".parse().unwrap(), SenderRule::Block),
    ];
    world.store().set_by(&from, settings.clone(), world.now).await.unwrap();
    // What is set already changes nothing.
    world.store().set_by(&from, settings, world.now).await.unwrap();
    let back = vec![Setting::Offline(WhenOffline::Phone)];
    world.store().set_by(&from, back, world.now).await.unwrap();
    let mallory = "mallory@example.org".parse().unwrap();
    world.store().report(&from, mallory, world.now).await.unwrap();
    let admin = Jid::new("admin@example.org/desk").unwrap();
    world.store().audit_command(&admin, "suspend", None, world.now).await.unwrap();

    let rows = rows(&world);
    let short: Vec<_> = rows
        .iter()
        .map(|it| (it.action, it.what.as_str(), it.resource.as_deref(), it.about.as_deref()))
        .collect();
    let (phone, eve, mallory) =
        (Some("phone"), Some("eve@example.org"), Some("mallory@example.org"));
    assert_eq!(
        short,
        [
            (AuditAction::Setting, "calls", phone, None),
            (AuditAction::Setting, "quiet hours", phone, None),
            (AuditAction::Block, "sender", phone, eve),
            (AuditAction::Setting, "calls", phone, None),
            (AuditAction::Block, "sender", phone, mallory),
            (AuditAction::Report, "sender", phone, mallory),
            (AuditAction::Command, "suspend", Some("desk"), None),
        ]
    );
    assert!(rows[..6].iter().all(|it| it.who.as_deref() == Some("bob@example.org")));
    assert_eq!((&rows[0].before, &rows[0].after), (&rows[3].after, &rows[3].before));
    assert!(rows[0].before != rows[0].after && rows[1].before.is_none());
    let values: Vec<_> = rows.iter().flat_map(|it| [&it.before, &it.after]).flatten().collect();
    let is_hash = |it: &&String| it.len() == 32 && it.bytes().all(|c| c.is_ascii_hexdigit());
    assert!(values.iter().all(is_hash), "{values:?}");
}

#[tokio::test]
async fn erasure_leaves_the_rows_and_takes_the_names() {
    let mut world = World::new().await;
    let from = Jid::new("bob@example.org/phone").unwrap();
    let block = |jid: &str| vec![Setting::Sender(jid.parse().unwrap(), SenderRule::Block)];
    world.store().set_by(&from, block("eve@example.org"), world.now).await.unwrap();
    assert!(world.store().forget(&bob().jid, world.now).await.unwrap());
    let eve = "eve@example.org".parse().unwrap();
    assert!(world.store().erase(&eve, world.now).await.unwrap());
    let rows = rows(&world);
    let (bob, eve) = (rows[0].who.clone().unwrap(), rows[0].about.clone().unwrap());
    assert!(bob.starts_with("erased-") && eve.starts_with("erased-") && bob != eve);
    assert_eq!(rows[0].resource, None);
    let kinds: Vec<_> = rows.iter().map(|it| (it.action, it.what.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (AuditAction::Block, "sender"),
            (AuditAction::Erasure, "forget me"),
            (AuditAction::Erasure, "offhook erase"),
        ]
    );
    assert_eq!((&rows[1].who, &rows[2].about), (&Some(bob), &Some(eve)), "the same pseudonyms");
    let file = world.folder.file();
    world.stop().await;
    let conn = Connection::open(&file).unwrap();
    let changed = conn.execute("UPDATE audit SET what = 'nothing'", []);
    assert!(changed.unwrap_err().to_string().contains("only added to"));
    let (stored, name) = (std::fs::read(&file).unwrap(), b"eve@example.org");
    assert!(!stored.windows(name.len()).any(|it| it == name), "a name is left in the file");
}

#[tokio::test]
async fn rows_are_kept_for_ninety_days() {
    let mut world = World::new().await;
    let admin = Jid::new("admin@example.org/desk").unwrap();
    world.store().audit_command(&admin, "people", None, world.now).await.unwrap();
    world.now += Duration::from_secs(89 * 86_400);
    world.store().expire(world.now).await.unwrap();
    assert_eq!(rows(&world).len(), 1);
    world.now += Duration::from_secs(86_400);
    world.store().expire(world.now).await.unwrap();
    assert_eq!(rows(&world), []);
}
