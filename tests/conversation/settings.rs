//! Settings in people's own hands: chat commands, forms, registration; a number that is proved by a call.

use offhook::demo::child_process::Folder;
use offhook::demo::phone::Phone;

use crate::answer::bed_with_phone;
use crate::chat::Chat;
use crate::heard;
use crate::listening::pick_up;
use crate::test_bed::{
    COMPONENT, Kind, LONG, NUMBER, TO_BOB, TestBed, dial, rang, subscriber, trunk,
};

pub(crate) async fn carol_proves_her_number_and_is_phoned_there(kind: Kind) {
    let (mut bed, mut phone) = bed(kind, "wait_s = 0").await;
    let mut carol = bed.log_in("carol", "carol@localhost/phone").await;
    carol.comes_online(0).await;
    carol.write(COMPONENT, "c1", "on").await;
    carol.reads("There is no number yet").await;
    carol.write(COMPONENT, "c2", "phone 0123").await;
    carol.reads("A number is written with +").await;
    carol.write(COMPONENT, "c3", "phone +1 999 555").await;
    carol.reads("may not be dialled").await;
    carol.write(COMPONENT, "c4", &format!("phone {CAROL}")).await;
    carol.reads("I am calling").await;

    let right = CODE_QUESTION;
    let wrong = "Hello. 2 messages are waiting. Please enter your PIN.";
    let mut heard = pick_up(&mut phone).await;
    let question = heard.part(right).await;
    let code = waiting_code(&bed);
    carol.write(COMPONENT, "c5", &format!("code {code}")).await;
    carol.reads("I wait for no code").await;
    phone.press("5").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let spoken = heard.rest();
    assert_eq!(heard::sentence(&question, &[right, wrong]), Ok(right));
    let others = ["123456", "909090", "555555"].map(code_told);
    let mut candidates = vec![code_told(&code)];
    candidates.extend(others);
    let candidates: Vec<&str> = candidates.iter().map(String::as_str).collect();
    assert_eq!(heard::sentence(&spoken, &candidates), Ok(candidates[0]));

    carol.reads("Please send me the six digits").await;
    carol.write(COMPONENT, "c6", &code).await;
    let verified = carol.reads("Verified: +9995550123").await.body.unwrap();
    assert!(verified.contains("Welcome."), "{verified}");
    carol.write(COMPONENT, "c7", "quiet off").await;
    carol.reads("There are no quiet hours").await;
    carol.write(COMPONENT, "c8", "show").await;
    let shown = carol.reads("Number: +9995550123").await.body.unwrap();
    assert!(shown.contains("You are online.") && shown.lines().count() <= 6, "{shown}");
    assert!(shown.contains("You agreed to these calls on "), "{shown}");

    carol.goes_offline().await;
    bed.alice.write("carol\\40localhost@phone.localhost", "m1", "Are you there?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.close(&["there?", &code]).await;
}

pub(crate) async fn a_phone_that_nobody_answers_by_key_tells_no_code(kind: Kind) {
    let (bed, mut phone) = bed(kind, "wait_s = 0").await;
    let mut carol = bed.log_in("carol", "carol@localhost/phone").await;
    carol.comes_online(0).await;
    carol.write(COMPONENT, "c1", &format!("phone {CAROL}")).await;
    let heard = pick_up(&mut phone).await;
    let code = waiting_code(&bed);
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    carol.reads("no key was pressed").await;
    let told = code_told(&code);
    assert_eq!(heard::sentence(&heard.rest(), &[CODE_QUESTION, &told]), Ok(CODE_QUESTION));
    carol.write(COMPONENT, "c2", &code).await;
    carol.reads("I wait for no code").await;
    bed.close(&[&code]).await;
}

pub(crate) async fn forms_and_registration_set_the_same(kind: Kind) {
    let (bed, mut phone) = bed(kind, "wait_s = 0").await;
    let mut carol = bed.log_in("carol", "carol@localhost/phone").await;
    carol.comes_online(0).await;
    let features =
        asks(&mut carol, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").await;
    for feature in [
        "http://jabber.org/protocol/commands",
        "jabber:iq:register",
        "jabber:iq:gateway",
        "vcard-temp",
    ] {
        assert!(features.contains(feature), "{feature} in {features}");
    }
    let offered = "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>";
    let list = asks(&mut carol, "get", offered).await;
    assert!(list.contains("node=\"settings\"") && !list.contains("suspend"), "{list}");

    let register = format!("<query xmlns='jabber:iq:register'><phone>{CAROL}</phone></query>");
    let registered = asks(&mut carol, "set", &register).await;
    assert!(registered.contains("type=\"result\""), "{registered}");
    pick_up(&mut phone).await.voice().await;
    phone.press("1").await.unwrap();
    carol.reads("Please send me the six digits").await;
    let code = waiting_code(&bed);
    let form = executes(&mut carol, "code", "").await;
    let session = session(&form);
    let digits = format!("<field var='code'><value>{code}</value></field>");
    let done = executes(&mut carol, "code", &submitted(&session, &digits)).await;
    assert!(done.contains("status=\"completed\"") && done.contains("Verified"), "{done}");

    let form = executes(&mut carol, "settings", "").await;
    assert!(form.contains(CAROL) && form.contains("status=\"executing\""), "{form}");
    let fields = "<field var='offline'><value>store</value></field>\
                  <field var='quiet'><value>22:00-07:30</value></field>\
                  <field var='timezone'><value>Asia/Tokyo</value></field>\
                  <field var='language'><value>de</value></field>\
                  <field var='pin'><value>4821</value></field>";
    let used = self::session(&form);
    let done = executes(&mut carol, "settings", &submitted(&used, fields)).await;
    assert!(done.contains("status=\"completed\"") && done.contains("nicht angerufen"), "{done}");
    let again = executes(&mut carol, "settings", &submitted(&used, fields)).await;
    assert!(again.contains("bad-sessionid"), "{again}");
    carol.write(COMPONENT, "c1", "show").await;
    let shown = carol.reads("Ruhezeit: 22:00-07:30 (Asia/Tokyo)").await.body.unwrap();
    assert!(shown.contains("PIN ist gesetzt"), "{shown}");

    let forbidden = executes(&mut carol, "suspend", "").await;
    assert!(forbidden.contains("forbidden"), "{forbidden}");
    let removed =
        asks(&mut carol, "set", "<query xmlns='jabber:iq:register'><remove/></query>").await;
    assert!(removed.contains("type=\"result\""), "{removed}");
    let query = asks(&mut carol, "get", "<query xmlns='jabber:iq:register'/>").await;
    assert!(!query.contains("<registered"), "{query}");
    bed.close(&["4821", &code]).await;
}

pub(crate) async fn who_has_a_pin_is_named_to_nobody_before_it(kind: Kind) {
    let (mut bed, mut phone) = bed_with_phone(kind, "wait_s = 0").await;
    let mut bob = bed.log_in("bob", "bob@localhost/phone").await;
    bob.comes_online(0).await;
    bob.write(COMPONENT, "b1", "pin 4821").await;
    bob.reads("Your PIN is set").await;
    bob.goes_offline().await;

    bed.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    let asked = "Hello. 1 message is waiting. Please enter your PIN.";
    let again = "That is not the PIN. Hello. 1 message is waiting. Please enter your PIN.";
    let named = "Hello, Bob. At 10:30 a message from Alice arrived. Press 5 to hear it.";
    let mut heard = pick_up(&mut phone).await;
    let question = heard.part(asked).await;
    phone.press("1111").await.unwrap();
    let wrong = heard.part(again).await;
    phone.press("4821#").await.unwrap();
    heard.part(named).await;
    phone.press("51").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let answer = bed.alice.until("the answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    assert_eq!(heard::sentence(&question, &[asked, named]), Ok(asked));
    let goodbye = "That is not the PIN. Goodbye.";
    assert_eq!(heard::sentence(&wrong, &[again, goodbye, named]), Ok(again));
    bed.close(&["fan", "4821", "1111"]).await;
}

pub(crate) async fn the_operator_sees_people_and_stops_and_resumes_calls(kind: Kind) {
    let folder = Folder::make().unwrap();
    let mut phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial("wait_s = 0") + &subscriber("bob", NUMBER);
    let bed = TestBed::open_with(kind, folder, "admins = [\"dave@localhost\"]\n", &rest).await;
    let mut bed = bed.settled().await;
    let mut dave = bed.log_in("dave", "dave@localhost/desk").await;
    dave.comes_online(0).await;
    dave.write(COMPONENT, "d1", "people").await;
    dave.reads("bob@localhost +9995550100").await;
    dave.write(COMPONENT, "d2", "suspend").await;
    dave.reads("No calls are made from now on").await;
    bed.alice.write(COMPONENT, "a1", "resume").await;
    bed.alice.reads("Only the operator may do that").await;
    bed.alice.write(TO_BOB, "m1", "The fan is broken.").await;
    bed.alice.reads("Your message is held").await;
    bed.settles().await;
    assert!(bed.calls().is_empty() && !rang(&mut phone).await, "calls were stopped");

    let form = executes(&mut dave, "suspend", "").await;
    let resume = "<field var='suspended'><value>no</value></field>";
    let done = executes(&mut dave, "suspend", &submitted(&session(&form), resume)).await;
    assert!(done.contains("Calls are made again"), "{done}");
    pick_up(&mut phone).await.voice().await;
    phone.press("51").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    bed.settles().await;
    dave.write(COMPONENT, "d3", "all calls").await;
    dave.reads("answered").await;
    dave.write(COMPONENT, "d4", "test-call bob@localhost").await;
    dave.reads("will ring").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    bed.close(&["fan"]).await;
}

/// Carol's phone, and Offhook that does not know Carol yet.
async fn bed(kind: Kind, dialing: &str) -> (TestBed, Phone) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), CAROL, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial(dialing);
    let bed = TestBed::open_with(kind, folder, "users = [\"localhost\"]\n", &rest).await;
    (bed.settled().await, phone)
}

/// How a code is spoken.
fn code_told(code: &str) -> String {
    let digits: Vec<String> = code.chars().map(|digit| format!("{digit}.")).collect();
    let digits = digits.join(" ");
    format!("The code is: {digits} Again: {digits} Please send it in the chat. Goodbye.")
}

/// The code that waits to be sent back, as only the store knows it.
fn waiting_code(bed: &TestBed) -> String {
    let sql = "SELECT code FROM verifications WHERE code IS NOT NULL ORDER BY id DESC LIMIT 1";
    bed.store().query_row(sql, [], |row| row.get(0)).unwrap()
}

async fn asks(who: &mut Chat, kind: &str, payload: &str) -> String {
    who.asks(kind, COMPONENT, payload).await
}

async fn executes(who: &mut Chat, node: &str, rest: &str) -> String {
    let rest = if rest.is_empty() { " action='execute'>" } else { rest };
    let command = format!(
        "<command xmlns='http://jabber.org/protocol/commands' node='{node}'{rest}</command>"
    );
    asks(who, "set", &command).await
}

fn submitted(session: &str, fields: &str) -> String {
    format!(
        " sessionid='{session}' action='complete'><x xmlns='jabber:x:data' type='submit'>{fields}</x>"
    )
}

fn session(form: &str) -> String {
    form.split("sessionid=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

const CODE_QUESTION: &str = "Hello. This is a call from localhost, about chat messages. Somebody has asked for a code \
                             to use this number. To hear the code, press 5. If you have not asked for it, press 9 twice: this number \
                             is not called for a code again.";
const CAROL: &str = "+9995550123";
