//! What the start after a kill knows of the calls that were on the line.

use offhook::notification::Outcome;
use offhook::notification::verification::NumberSlot;
use offhook::store::KeptDialog;

use crate::world::{World, attempt, bob};

#[tokio::test]
async fn a_dialog_is_given_once_after_a_kill_and_never_after_a_settled_call() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    let number = "+81378904444".parse().unwrap();
    let code = world.store().ask_code(&bob().jid, number, NumberSlot::Second, world.now).await;
    let code = code.unwrap().unwrap();
    for record in ["INVITE 1", "200 1"] {
        world.store().keep_dialog(claim.attempt, dialog(record)).await.unwrap();
    }
    world.store().keep_dialog_of_code(code.id, dialog("INVITE 2")).await.unwrap();

    world.crash().await;
    let left = world.store().take_dialogs().await.unwrap();
    assert_eq!(left, [dialog("200 1"), dialog("INVITE 2")], "the last record of each");
    assert_eq!(world.store().take_dialogs().await.unwrap(), []);

    world.at(130);
    let again = world.claim().await.unwrap();
    world.store().keep_dialog(again.attempt, dialog("200 3")).await.unwrap();
    world.store().keep_dialog_of_code(code.id, dialog("200 4")).await.unwrap();
    world.settle(&again, Outcome::Answered).await;
    let ended = attempt(Outcome::Answered);
    world.store().code_call_ended(code.id, ended, world.now).await.unwrap();
    // What comes late belongs to a call that is over.
    world.store().keep_dialog(again.attempt, dialog("200 3")).await.unwrap();
    world.crash().await;
    assert_eq!(world.store().take_dialogs().await.unwrap(), []);
}

fn dialog(record: &str) -> KeptDialog {
    KeptDialog { trunk: "pbx".to_owned(), record: record.to_owned() }
}
