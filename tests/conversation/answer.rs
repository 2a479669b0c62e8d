//! The main job: a phone rings, a person listens, an answer comes back.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use offhook::cli::demo::part::Folder;
use offhook::cli::demo::phone::Phone;
use offhook::cli::demo::recording::Recording;
use offhook::clock;
use tokio::time::sleep;

use crate::heard;
use crate::house::{COMPONENT, House, Kind, LONG, NUMBER, TO_BOB, dial, subscriber, trunk};

pub(crate) async fn bob_hears_the_message_and_alice_reads_his_answer(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 1").await;
    let written = early_in_a_minute().await;
    house.alice.write(TO_BOB, "m1", MESSAGE).await;
    // Whoever picks up at once may leave no time to say that it rings.
    house.alice.reads("phone is ringing").await;
    let recording = pick_up(&mut phone).await;
    let mut parts = Parts::of(recording);
    let announced = parts.next().await;
    phone.press("5").await.unwrap();
    let message_and_menu = parts.next().await;
    phone.press("1").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    let thanks = parts.last();

    let answer = house.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    house.alice.rest(Duration::from_secs(1)).await;
    assert_eq!(answer.reply_to.as_deref(), Some("m1"));
    assert_eq!(answer.text.as_deref(), Some("Bob will answer by message."));
    assert!(answer.from.starts_with(TO_BOB), "it comes from Bob: {}", answer.from);
    assert_eq!(
        house.alice.shown(),
        ["Bob has heard your message.", "Bob will answer by message."],
        "one status, corrected in place, and the answer"
    );
    let all: Vec<_> = house.alice.read.iter().filter_map(|it| it.text.clone()).collect();
    for step in ["is held", "phone is ringing", "phone was answered"] {
        assert!(all.iter().any(|text| text.contains(step)), "{step} is missing in {all:#?}");
    }

    let announcements = announcements(written);
    let announcements: Vec<&str> = announcements.iter().map(String::as_str).collect();
    assert_eq!(heard::sentence(&announced, &announcements), Ok(announcements[0]));
    let menu = |message: &str| {
        format!(
            "{message} To answer by message, press 1. To call back, press 2. To answer later, press 3. \
             To record a voice answer, press 7. To hear it again, press star. To go on, press hash."
        )
    };
    let right = menu(MESSAGE);
    let wrong = OTHER_MESSAGES.map(menu);
    let said: Vec<&str> = [&right].into_iter().chain(&wrong).map(String::as_str).collect();
    assert_eq!(heard::sentence(&message_and_menu, &said), Ok(&*right));
    let right = "Bob will answer by message. Thank you. That was all. Goodbye.";
    let wrong = "Bob will phone you back. Thank you. That was all. Goodbye.";
    let sorry = "I am sorry, your choice could not be stored. Please answer in your chat. Goodbye.";
    assert_eq!(heard::sentence(&thanks, &[right, wrong, sorry]), Ok(right));
    house.close(&["degrees", "server room"]).await;
}

pub(crate) async fn hanging_up_early_is_told_and_the_phone_rings_again(kind: Kind) {
    let (mut house, mut phone) =
        house_with_phone(kind, "wait_s = 0\nno_answer_retry_s = [2]").await;
    house.alice.write(TO_BOB, "m1", MESSAGE).await;
    let recording = pick_up(&mut phone).await;
    recording.pause(Duration::ZERO, LONG).await;
    phone.hang_up().await.unwrap();
    let told = house.alice.reads("answered, but your message was not heard").await;
    assert!(told.body.unwrap().contains("The next call is at"));

    pick_up(&mut phone).await;
    sleep(Duration::from_secs(1)).await;
    phone.press("52").await.unwrap();
    let answer = house.alice.until("Bob's answer", |it| it.reply_to.is_some()).await;
    assert_eq!(answer.text.as_deref(), Some("Bob will phone you back."));
    house.close(&["degrees"]).await;
}

pub(crate) async fn nine_twice_ends_the_calls_until_he_wants_them_again(kind: Kind) {
    let (mut house, mut phone) = house_with_phone(kind, "wait_s = 0").await;
    house.alice.write(TO_BOB, "m1", MESSAGE).await;
    pick_up(&mut phone).await;
    sleep(Duration::from_secs(1)).await;
    phone.press("99").await.unwrap();
    phone.event("CALL_CLOSED", LONG).await.unwrap();
    house.alice.reads("Bob has switched phone calls off").await;
    house.alice.write(TO_BOB, "m2", "Are you there?").await;
    house.alice.reads("Your message is held until Bob is online").await;

    let mut bob = house.log_in("bob", "bob@localhost/phone").await;
    bob.client.online(0).await.unwrap();
    bob.reads("Phone calls about messages are off now. Send \"on\"").await;
    bob.write(COMPONENT, "b1", "on").await;
    bob.reads("You will be phoned when a message comes").await;
    bob.client.offline().await.unwrap();
    sleep(Duration::from_millis(500)).await;
    house.alice.write(TO_BOB, "m3", "Are you there now?").await;
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    house.close(&["degrees", "there"]).await;
}

/// Bob's phone and all the rest; nobody is called yet.
pub(crate) async fn house_with_phone(kind: Kind, dialing: &str) -> (House, Phone) {
    let folder = Folder::make().unwrap();
    let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
    let rest = trunk(phone.sip) + &dial(dialing) + &subscriber("bob", NUMBER);
    (House::open(kind, folder, &rest).await.settled().await, phone)
}

/// Waits until the phone rings, picks up, and gives what is heard from then on.
pub(crate) async fn pick_up(phone: &mut Phone) -> Recording {
    phone.event("CALL_INCOMING", LONG).await.unwrap();
    talking(phone, async |phone| phone.answer().await.unwrap()).await
}

/// Does what begins a talk, and gives what is heard from then on.
pub(crate) async fn talking(phone: &mut Phone, begins: impl AsyncFnOnce(&mut Phone)) -> Recording {
    let before = phone.recording().map(|it| it.file().to_path_buf());
    begins(phone).await;
    phone.event("CALL_ESTABLISHED", LONG).await.unwrap();
    loop {
        let recording = phone.recording();
        let new = recording.filter(|it| before.as_deref() != Some(it.file()));
        match new {
            Some(recording) => return recording,
            None => sleep(STEP).await,
        }
    }
}

/// What the phone heard, cut where the voice paused.
pub(crate) struct Parts {
    recording: Recording,
    from: Duration,
}

impl Parts {
    pub(crate) fn of(recording: Recording) -> Self {
        Self { recording, from: Duration::ZERO }
    }

    /// Waits until the voice pauses; gives what it has said since the last time.
    pub(crate) async fn next(&mut self) -> Vec<i16> {
        assert!(self.recording.pause(self.from, LONG).await, "nothing is said");
        let part = self.last();
        self.skip();
        part
    }

    /// Forgets what was said until now.
    pub(crate) fn skip(&mut self) {
        self.from = self.recording.length();
    }

    /// All since the last time.
    pub(crate) fn last(&self) -> Vec<i16> {
        let from = usize::try_from(self.from.as_millis()).unwrap() * 8;
        self.recording.samples().unwrap().split_off(from)
    }
}

/// A time from which the minute lasts long enough for a message to arrive in it.
pub(crate) async fn early_in_a_minute() -> Timestamp {
    while clock::timestamp().as_second() % 60 > 55 {
        sleep(STEP).await;
    }
    clock::timestamp()
}

/// The right announcement of a message of this minute, then wrong ones; none of a neighbouring minute, since "fifty
/// seven" and "fifty eight" are one late packet apart.
pub(crate) fn announcements(received: Timestamp) -> Vec<String> {
    let at = |minutes: i64| received + minutes.minutes();
    let say = |greeting: &str, at: Timestamp, sender: &str| {
        let time = at.strftime("%-H:%M");
        format!("{greeting} At {time} a message from {sender} arrived. Press 5 to hear it.")
    };
    let now = at(0);
    vec![
        say("Hello, Bob.", now, "Alice"),
        say("Hello, Bob.", at(10), "Alice"),
        say("Hello, Bob.", at(60), "Alice"),
        say("Hello, Bob.", at(-60 * 9), "Alice"),
        say("Hello, Bob.", now, "Carol"),
        say("Hello, Carol.", now, "Alice"),
        say("Hello, Bob. 2 messages have arrived. The first:", now, "Alice"),
    ]
}

const MESSAGE: &str = "The server room has 38 degrees, can you come?";
const OTHER_MESSAGES: [&str; 4] = [
    "The server room has 68 degrees, can you come?",
    "The server room has 38 degrees, can you call?",
    "This message can't be read aloud. It waits in your chat.",
    "Your messages wait in your chat.",
];
const STEP: Duration = Duration::from_millis(50);
