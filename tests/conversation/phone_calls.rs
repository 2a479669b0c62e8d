//! What a phone can do instead of being answered.

use offhook::cli::demo::part::Folder;

use crate::house::{House, Kind, dial, subscriber};
use crate::sipp::Sipp;

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
        ("busy", "Busy's line is busy. The next call is at "),
        ("decliner", "Decliner declined the call. No further call is planned"),
        ("wrong", "Wrong cannot be phoned: the number does not work. No further call is planned"),
        ("absent", "Absent did not answer the phone. The next call is at "),
    ];
    for ((name, _), place) in told.iter().zip(1..) {
        rest += &subscriber(name, &format!("+99955501{place}0"));
    }
    let mut house = House::open(kind, folder, &rest).await.settled().await;
    for (name, words) in told {
        house.alice.write(&format!("{name}\\40localhost@phone.localhost"), name, "Hello?").await;
        house.alice.reads(words).await;
    }
    let shown = house.alice.shown();
    assert_eq!(shown.len(), told.len(), "one status each, corrected in place: {shown:#?}");
    assert!(
        shown.iter().zip(told).all(|(status, (_, words))| status.starts_with(words)),
        "{shown:#?}"
    );
    house.close(&["Hello?"]).await;
}
