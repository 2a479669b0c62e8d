//! What a phone can do instead of being answered.

use std::process::Command;

use offhook::demo::child_process::Folder;
use offhook::demo::phone::Phone;

use crate::heard;
use crate::listening::pick_up;
use crate::sipp::Sipp;
use crate::test_bed::{Kind, LONG, NUMBER, TO_BOB, TestBed, dial, subscriber, trunk};

pub(crate) async fn what_becomes_of_a_call_is_told(kind: Kind) {
    let folder = Folder::make().unwrap();
    let refusing = async |status: &str| {
        let room = folder.room(status).unwrap();
        Sipp::start(&room, "refuses", &[("STATUS", status)]).await.unwrap()
    };
    let phones = [
        refusing("486 Busy Here").await,
        refusing("603 Decline").await,
        refusing("404 Not Found").await,
        Sipp::start(&folder.room("rings").unwrap(), "rings_until_cancelled", &[]).await.unwrap(),
    ];
    let mut rest: String = phones
        .iter()
        .zip(1..)
        .map(|(phone, place)| {
            format!(
                "[[trunk]]\nname = \"trunk{place}\"\nproxy = \"sip:{}\"\nfrom = \"sip:offhook@127.0.0.1\"\n\
                 prefixes = [\"+99955501{place}\"]\n",
                phone.sip
            )
        })
        .collect();
    rest += &dial("wait_s = 0\nring_s = 5\nno_answer_retry_s = [3600]");
    let told = [
        ("busy", "Busy's line is busy. The next call is in "),
        ("decliner", "Decliner declined the call. No further call is planned"),
        ("wrong", "Wrong cannot be phoned: the number does not work. No further call is planned"),
        ("absent", "Absent did not answer the phone. The next call is in "),
    ];
    for ((name, _), place) in told.iter().zip(1..) {
        rest += &subscriber(name, &format!("+99955501{place}0"));
    }
    let mut bed = TestBed::open(kind, folder, &rest).await.settled().await;
    for (name, words) in told {
        bed.alice.write(&format!("{name}\\40localhost@phone.localhost"), name, "Hello?").await;
        bed.alice.reads(words).await;
    }
    let news: Vec<_> = bed
        .alice
        .read
        .iter()
        .filter_map(|it| Some((it.reply_to.as_deref()?, it.text.as_deref()?)))
        .collect();
    assert_eq!(news.len(), told.len(), "each is a message of its own: {news:#?}");
    assert!(
        news.iter()
            .zip(told)
            .all(|((of, text), (name, words))| *of == name && text.contains(words)),
        "{news:#?}"
    );
    bed.close(&["Hello?"]).await;
}

pub(crate) async fn a_trunk_that_refuses_one_callee_is_passed_over_and_not_rested(kind: Kind) {
    let folder = Folder::make().unwrap();
    let room = folder.room("failing").unwrap();
    let failing = Sipp::start(&room, "refuses", &[("STATUS", "503 Service Unavailable")]).await;
    let failing = failing.unwrap();
    let mut phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(failing.sip) + "name = \"first\"\n" + &trunk(phone.sip);
    let rest = rest
        + "name = \"second\"\n"
        + &dial("wait_s = 0\nbusy_retry_s = 1")
        + &subscriber("bob", NUMBER);
    let mut bed = TestBed::open(kind, folder, &rest).await.settled().await;
    bed.alice.write(TO_BOB, "m1", "Hello?").await;
    for _ in 0..3 {
        phone.event("CALL_INCOMING", LONG).await.unwrap();
        phone.hang_up().await.unwrap();
    }
    bed.alice.reads("Bob's line is busy. No further call is planned").await;
    let log = bed.offhook.log();
    assert_eq!(log.matches("the next one is tried").count(), 3, "{log}");
    let warned = |line: &&str| line.contains("WARN") && line.contains("offhook::trunks");
    assert_eq!(log.lines().filter(warned).count(), 0, "others may still be reached over it: {log}");
    let calls: serde_json::Value =
        serde_json::from_str(&bed.offhook.says(&["calls", "--json"])).unwrap();
    let trunks: Vec<_> = calls.as_array().unwrap().iter().map(|it| &it["trunk"]).collect();
    assert_eq!(trunks, ["second"; 3]);
    bed.close(&["Hello?"]).await;
}

pub(crate) async fn an_answering_machine_hears_one_sentence_and_its_caller_reads_so(kind: Kind) {
    let folder = Folder::make().unwrap();
    let room = folder.room("phone").unwrap();
    let greeting = room.join("greeting.wav");
    let mut sox = Command::new("sox");
    for word in ["vm-theperson", "digits/4", "digits/2", "vm-isunavail", "vm-intro", "beep"] {
        sox.arg(format!("/usr/share/asterisk/sounds/en_US_f_Allison/{word}.gsm"));
    }
    // A machine goes on recording; baresip hangs up when the file is at its end.
    let made = sox.args(["-b", "16"]).arg(&greeting).args(["pad", "1", "60"]).status().unwrap();
    assert!(made.success());
    let mut phone = Phone::start(&room, NUMBER, Some(&greeting)).await.unwrap();
    let rest = trunk(phone.sip) + "answering_machine = true\n";
    let rest = rest + &dial("wait_s = 0\nno_answer_retry_s = [3600]") + &subscriber("bob", NUMBER);
    let mut bed = TestBed::open(kind, folder, &rest).await.settled().await;
    bed.alice.write(TO_BOB, "m1", "The door is open.").await;
    let heard = pick_up(&mut phone).await;
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let told = bed.alice.reads("An answering machine took the call for Bob.").await;
    assert!(told.body.unwrap().contains("The next call is in "));
    let notice = "Hello. This is an automatic call. Someone has tried to reach you. Please look at your chat. Goodbye.";
    let message = "This is the message service of localhost. Hello, Bob. You have a message from Alice. To hear it, press 5. The door is open.";
    let stopped = "These calls are switched off. Your messages wait in your chat. Goodbye.";
    assert_eq!(heard::sentence(&heard.rest(), &[notice, message, stopped]), Ok(notice));
    let calls = bed.offhook.says(&["calls", "--json"]);
    assert!(calls.contains("\"picked_up\":\"machine\""), "{calls}");
    bed.close(&["door", "open"]).await;
}
