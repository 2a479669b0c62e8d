use super::*;
use crate::notification::Reply;
use crate::store::OwedRoom;
use crate::store::replies::OWED_IDS;
use crate::store::test_tables::{Tables, jid};

/// Everything that is held for somebody becomes owed a slice at a time, and nothing that comes later.
#[test]
fn many_messages_become_owed_in_slices_and_a_crash_between_them_loses_none() {
    let mut tables = Tables::with_people(2);
    let held = 2 * DELIVERED_AT_ONCE_MAX + 1;
    (0..held).for_each(|id| _ = tables.hold(0, id));
    tables.send_all();
    let now = tables.now;
    let owed = "SELECT count(*) FROM replies WHERE content = 'delivery'";
    let begun = tables.work(|it| it.came_online(&jid(0), now).unwrap());
    assert_eq!(begun, Delivering { messages: held, more: true });
    assert_eq!(tables.number(owed), DELIVERED_AT_ONCE_MAX as i64);
    let calls = "SELECT count(*) FROM notifications WHERE state <> 'closed'";
    assert_eq!(tables.number(calls), 0, "nobody is phoned about the rest");
    // They are gone again, and somebody writes.
    let later = tables.hold(0, held);
    // What goes on is found in the tables alone, as after a crash.
    let mut slices = 0;
    while tables.work(|it| it.deliver_more(now).unwrap()) {
        slices += 1;
        let last = tables.number(owed);
        assert!(last <= (slices + 1) * DELIVERED_AT_ONCE_MAX as i64);
    }
    assert_eq!((slices, tables.number(owed)), (2, held as i64));
    let left =
        tables.work(|it| it.ids("SELECT id FROM messages WHERE delivering IS NULL", []).unwrap());
    assert_eq!(left, [later]);
    let order = "SELECT count(*) FROM replies AS one JOIN replies AS other ON other.id > one.id
                     AND other.message < one.message
                 WHERE one.content = 'delivery' AND other.content = 'delivery'";
    assert_eq!(tables.number(order), 0, "in the order of their arrival");
}

#[test]
fn what_is_delivered_to_one_goes_behind_the_first_word_to_another() {
    let mut tables = Tables::with_people(2);
    (0..DELIVERED_AT_ONCE_MAX).for_each(|id| _ = tables.hold(0, id));
    tables.send_all();
    let now = tables.now;
    tables.work(|it| it.came_online(&jid(0), now).unwrap());
    let newest = tables.hold(1, 1_000_000);
    let now = now + STEP;
    let owed = tables.work(|it| it.owed(&room(3, true), now).unwrap());
    assert_eq!(owed.stanzas[0].message.id, newest);
    assert!(owed.has_bulk && owed.more && owed.stanzas.len() == 3);
    let news = tables.work(|it| it.owed(&room(3, false), now).unwrap());
    assert_eq!((news.stanzas.len(), news.has_bulk, news.more), (1, false, false));
    let full = tables.work(|it| it.owed(&room(1, true), now).unwrap());
    assert!(!full.has_bulk && full.more && full.stanzas[0].message.id == newest);
}

/// A later word about a message never overtakes an earlier one that goes in bulk.
#[test]
fn what_is_told_of_one_message_keeps_its_order() {
    let mut tables = Tables::with_people(1);
    let message = tables.hold(0, 1);
    tables.hold(0, 2);
    tables.send_all();
    let now = tables.now;
    tables.work(|it| it.came_online(&jid(0), now).unwrap());
    tables.work(|it| it.owe(message, &Reply::Receipt, now).unwrap());
    let owed = tables.work(|it| it.owed(&room(64, true), now).unwrap()).stanzas;
    let about = owed.iter().filter(|it| it.message.id == message).map(|it| it.id.0);
    assert!(about.is_sorted());
    assert!(owed[0].message.id == message, "they go first together");
}

#[test]
fn what_is_on_its_way_is_not_given_again() {
    let mut tables = Tables::with_people(1);
    (0..10).for_each(|id| _ = tables.hold(0, id));
    let now = tables.now + STEP;
    let first = tables.work(|it| it.owed(&room(4, true), now).unwrap());
    assert!(first.more);
    let on_their_way = first.stanzas.iter().map(|it| it.id).collect();
    let second = OwedRoom { on_their_way, ..room(64, true) };
    let second = tables.work(|it| it.owed(&second, now).unwrap());
    assert_eq!((second.stanzas.len(), second.more), (6, false));
    assert!(second.stanzas[0].id > first.stanzas[3].id);
}

#[test]
fn owed_stanzas_are_found_by_an_index() {
    let tables = Tables::with_people(0);
    let plan = tables.plan(OWED_IDS);
    assert!(plan.contains("replies_owed (bulk=?)") && !plan.contains("TEMP B-TREE"), "{plan}");
}

/// However many words there are, what is owed to many goes on.
#[test]
fn bulk_has_a_quarter_of_the_room() {
    let mut tables = Tables::with_people(2);
    (0..40).for_each(|id| _ = tables.hold(0, id));
    tables.send_all();
    let now = tables.now;
    tables.work(|it| it.came_online(&jid(0), now).unwrap());
    (100..140).for_each(|id| _ = tables.hold(1, id));
    let now = now + STEP;
    let owed = tables.work(|it| it.owed(&room(16, true), now).unwrap());
    let of_bulk = owed.stanzas.iter().filter(|it| it.message.draft.recipient == jid(0)).count();
    assert_eq!((owed.stanzas.len(), of_bulk), (16, 4));
}

/// A first word is told unless it is overtaken within so long.
const STEP: std::time::Duration = std::time::Duration::from_secs(2);

fn room(limit: usize, bulk: bool) -> OwedRoom {
    OwedRoom { limit, bulk, on_their_way: Default::default() }
}
