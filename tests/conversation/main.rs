//! Plays on real parts: a chat server, Offhook, slixmpp for the people, baresip and sipp for the phones.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

#[path = "../support/chat.rs"]
mod chat;
#[path = "../support/ejabberd.rs"]
mod ejabberd;
#[path = "../hearing/heard.rs"]
mod heard;
#[path = "../support/offhook.rs"]
mod offhook;
#[path = "../support/prosody.rs"]
mod prosody;
#[path = "../support/server_root.rs"]
mod server_root;
#[path = "../support/sipp.rs"]
mod sipp;

mod answer;
mod calling_in;
mod corrections;
mod hand_over;
mod hostile;
mod listening;
mod online;
mod phone_calls;
mod settings;
mod several;
mod starting_and_stopping;
mod strangers;
mod test_bed;
mod voice;

/// Each play once on each server.
macro_rules! plays {
    ($($file:ident: $($play:ident)+;)+) => {
        mod on_prosody {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $play() {
                super::$file::$play(super::test_bed::Kind::Prosody).await;
            })+)+
        }
        mod on_ejabberd {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $play() {
                super::$file::$play(super::test_bed::Kind::Ejabberd).await;
            })+)+
        }
    };
}

plays! {
    answer:
        bob_hears_the_message_and_alice_reads_his_answer
        hanging_up_early_is_told_and_the_phone_rings_again
        nine_twice_ends_the_calls_until_bob_wants_them_again;
    calling_in:
        who_calls_in_hears_what_is_held_and_nobody_else_does
        who_calls_in_must_know_the_pin
        a_strangers_phone_opens_by_number_and_pin;
    online:
        who_is_online_is_written_to_at_once_and_answers_from_the_client
        held_messages_are_delivered_in_order_and_once
        coming_online_while_it_rings_ends_the_call
        a_message_heard_by_phone_is_still_delivered
        who_writes_is_there_though_presence_is_not_shown
        blocking_a_sender_makes_no_phone_ring;
    hand_over:
        a_message_to_bob_himself_is_phoned_and_delivered_once
        an_answer_comes_from_bob_himself_where_the_server_lets_it
        whose_clients_all_sleep_is_phoned_until_one_wakes
        who_is_awake_is_not_phoned_and_a_sign_of_life_ends_the_call
        what_is_no_message_to_read_is_not_handed_over;
    phone_calls:
        what_becomes_of_a_call_is_told
        a_trunk_that_refuses_one_callee_is_passed_over_and_not_rested
        an_answering_machine_hears_one_sentence_and_its_caller_reads_so;
    several:
        three_messages_make_one_call_and_a_fourth_joins_it;
    settings:
        carol_proves_her_number_and_is_phoned_there
        a_phone_that_nobody_answers_by_key_tells_no_code
        forms_and_registration_set_the_same
        who_has_a_pin_is_named_to_nobody_before_it
        the_operator_sees_people_and_stops_and_resumes_calls;
    corrections:
        what_was_corrected_is_spoken_as_corrected_and_what_was_retracted_never
        second_thoughts_reach_a_call_that_rings_and_one_that_was_answered
        a_retraction_ends_the_ringing_when_nothing_else_is_to_be_said
        a_retraction_leaves_the_call_to_the_other_senders;
    voice:
        a_spoken_answer_arrives_at_the_servers_upload_service
        a_spoken_answer_arrives_where_the_component_is_privileged
        a_spoken_answer_can_be_had_from_offhook_itself
        what_was_said_when_the_line_breaks_is_sent_and_so_is_what_was_understood
        who_cannot_be_given_the_answer_is_told_so;
    strangers:
        what_is_no_message_to_a_person_makes_no_call_and_no_loop
        a_stranger_makes_no_phone_ring
        a_program_rings_only_where_it_is_allowed
        a_packaged_client_writes_and_is_answered
        a_message_that_no_voice_speaks_is_told_in_words_that_bob_understands
        whoever_writes_german_reads_german;
    hostile:
        no_stanza_of_a_user_ends_the_link;
    starting_and_stopping:
        sigterm_ends_what_rings_and_what_talks_and_nothing_is_lost
        a_kill_leaves_nobody_on_a_dead_line
        a_server_that_restarts_gets_what_was_owed
        who_is_not_let_in_is_told_why;
}
