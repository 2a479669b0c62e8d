use std::time::Duration;

use super::*;
use crate::store::test_tables::{Tables, jid};

/// A pass goes in slices of so many rows, and each slice says where the next one begins.
#[test]
fn a_pass_takes_one_slice_for_so_many_rows_also_while_all_of_them_owe_a_stanza() {
    let mut tables = Tables::with_people(1);
    let held = 4 * ROWS_MAX;
    (0..held).for_each(|id| _ = tables.hold(0, id));
    tables.send_all();
    tables.now += tables.policy.keep + Duration::from_secs(1);
    assert_eq!(pass(&mut tables), (held, 5), "all go to the server");
    tables.settle_all();
    let ended = "SELECT count(*) FROM messages WHERE ended IS NOT NULL AND wiped = 0";
    assert_eq!(tables.number(ended), held as i64, "each still owes its sender a word");
    assert_eq!(pass(&mut tables), (0, 5), "nothing can be erased, and nothing is looked at twice");
    tables.settle_all();
    assert_eq!(pass(&mut tables), (held, 5));
    assert_eq!(tables.number(ended), 0);
    tables.now += tables.policy.keep + Duration::from_secs(1);
    assert_eq!(pass(&mut tables), (held, 5));
    assert_eq!(tables.number("SELECT count(*) FROM messages"), 0);
}

#[test]
fn what_expires_goes_behind_the_first_word_to_another_sender() {
    let mut tables = Tables::with_people(2);
    (0..10).for_each(|id| _ = tables.hold(0, id));
    tables.send_all();
    tables.now += tables.policy.keep + Duration::from_secs(1);
    pass(&mut tables);
    tables.hold(1, 1000);
    let bulk = "SELECT count(*) FROM replies WHERE sent IS NULL AND bulk = 1";
    assert_eq!(tables.number(bulk), 10);
    let next = "SELECT count(*) FROM replies WHERE sent IS NULL AND bulk = 0";
    assert_eq!(tables.number(next), 1);
}

/// The person's other messages are not read for each one that ends.
#[test]
fn the_last_message_that_ends_closes_the_need_to_phone() {
    let mut tables = Tables::with_people(1);
    tables.hold(0, 1);
    tables.now += tables.policy.keep;
    tables.hold(0, 2);
    pass(&mut tables);
    let now = tables.now;
    let open = |tables: &mut Tables| tables.work(|it| it.open_notification(&jid(0)).unwrap());
    assert!(open(&mut tables).is_some());
    tables.now = now + tables.policy.keep;
    pass(&mut tables);
    assert!(open(&mut tables).is_none());
}

#[test]
fn rows_are_found_by_indexes() {
    let tables = Tables::with_people(0);
    for (sql, index) in [
        (TIMED_OUT, "messages_received"),
        (TO_WIPE, "messages_to_wipe"),
        (TO_ERASE, "messages_ended"),
    ] {
        let plan = tables.plan(sql);
        assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
    }
    for (sql, index) in [
        (
            "SELECT id FROM messages WHERE awaiting_sender_check = 1 AND ended IS NULL",
            "messages_awaiting_check",
        ),
        ("SELECT name FROM recordings WHERE state = 'waiting' AND due IS NULL", "recordings_due"),
        ("SELECT id FROM replies WHERE recording = ?", "replies_of_recording"),
        ("DELETE FROM recordings WHERE sound IS NULL AND taken <= ?", "recordings_silent"),
    ] {
        let plan = tables.plan(sql);
        assert!(plan.contains(index), "{plan}");
    }
}

/// What a whole pass has found, and how many slices it took.
fn pass(tables: &mut Tables) -> (usize, usize) {
    let (mut step, mut found, mut slices, now) = (Some(ExpiryStep::default()), 0, 0, tables.now);
    while let Some(begun) = step {
        let slice = tables.work(|it| it.expire_slice(begun, now).unwrap());
        (found, step, slices) = (found + slice.found, slice.next, slices + 1);
    }
    (found, slices)
}
