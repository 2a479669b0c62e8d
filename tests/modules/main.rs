//! The modules that hand messages over, in the chat servers they are for.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

#[path = "../support/ejabberd.rs"]
mod ejabberd;
#[path = "../support/prosody.rs"]
mod prosody;
#[path = "../support/server_root.rs"]
mod server_root;

mod client;
mod command;
mod component;
mod eligible_messages;
mod failing;
mod offline;
mod receipts;
mod roster;
mod server;
mod sleeping;
mod wire;

/// Each play once on each server.
macro_rules! plays {
    ($($file:ident: $($play:ident)+;)+) => {
        mod on_prosody {
            $($(#[tokio::test]
            async fn $play() {
                super::$file::$play(super::server::Kind::Prosody).await;
            })+)+
        }
        mod on_ejabberd {
            $($(#[tokio::test]
            async fn $play() {
                super::$file::$play(super::server::Kind::Ejabberd).await;
            })+)+
        }
    };
}

plays! {
    offline:
        what_is_stored_is_handed_over_whole_and_still_delivered_once
        a_client_of_negative_priority_is_nobody
        who_is_there_causes_nothing;
    sleeping:
        what_a_sleeping_phone_gets_is_handed_over_until_it_wakes
        who_has_a_client_awake_is_not_told_of_the_one_asleep
        what_a_dying_connection_did_not_acknowledge_is_handed_over_once
        a_connection_that_cannot_be_resumed_is_no_different;
    eligible_messages:
        only_what_people_write_is_handed_over;
    roster:
        a_contact_is_told_apart
        who_is_blocked_is_not_handed_over
        who_is_blocked_reaches_no_address_of_the_component;
    receipts:
        a_missing_receipt_is_told_and_a_receipt_is_enough;
    failing:
        without_the_component_everything_is_as_without_the_module
        a_module_that_fails_keeps_nothing_from_anybody;
}
