//! Random weeks: whatever happens in whatever order, with crashes in between, each message ends once
//! and nobody is phoned more than allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use offhook::notification::holding::HoldingEnd;
use offhook::notification::policy::Policy;
use offhook::notification::returned::{ReturnReason, Returned};
use offhook::notification::{
    Answer, Claim, MessageId, Outcome, Progress, Reply, ReplyId, Status, Throttle,
};
use offhook::store::Reader;
use offhook::subscriber::Subscriber;
use proptest::prelude::*;

use crate::world::{World, attempt, bob, draft, policy};

/// Something that happens. Numbers pick among what there is.
#[derive(Clone, Debug)]
enum Step {
    Write {
        sender: usize,
        recipient: usize,
        room: usize,
    },
    Wait(u64),
    WaitForCall,
    Claim,
    Ring(usize),
    PickUp(usize),
    Hear(usize),
    Press(usize),
    Join(usize),
    End(usize, Outcome, bool),
    ComeOnline(usize),
    TakeOwed(usize),
    Send(usize),
    /// No error comes for what the server has.
    Arrive,
    /// One of these comes back.
    ComeBack(usize, usize),
    Expire,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop::sample::select(vec![
        Outcome::Answered,
        Outcome::NoAnswer,
        Outcome::Busy,
        Outcome::Declined,
        Outcome::WrongNumber,
        Outcome::TrunkFailed,
        Outcome::Cancelled,
        Outcome::Interrupted,
    ]);
    let write = (0usize..3, 0usize..2, 0usize..2)
        .prop_map(|(sender, recipient, room)| Step::Write { sender, recipient, room });
    let step = prop_oneof![
        5 => write,
        2 => (1u64..4000).prop_map(Step::Wait),
        5 => Just(Step::WaitForCall),
        6 => Just(Step::Claim),
        2 => (0usize..9).prop_map(Step::Ring),
        4 => (0usize..9).prop_map(Step::PickUp),
        6 => (0usize..9).prop_map(Step::Hear),
        3 => (0usize..9).prop_map(Step::Press),
        2 => (0usize..9).prop_map(Step::Join),
        5 => (0usize..9, outcome, prop::bool::weighted(0.05)).prop_map(|(i, o, s)| Step::End(i, o, s)),
        1 => (0usize..2).prop_map(Step::ComeOnline),
        2 => (0usize..9).prop_map(Step::TakeOwed),
        2 => (0usize..9).prop_map(Step::Send),
        1 => Just(Step::Arrive),
        1 => (0usize..9, 0usize..4).prop_map(|(i, how)| Step::ComeBack(i, how)),
        1 => Just(Step::Expire),
        2 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..80)
}

/// A call on the line, as the one who makes it sees it.
struct Line {
    claim: Claim,
    to_hear: Vec<MessageId>,
    to_answer: Vec<MessageId>,
}

struct Weeks {
    world: World,
    lines: Vec<Line>,
    held: Vec<MessageId>,
    /// Who wrote them, and to whom: lines of one sender share their statuses.
    pairs: BTreeMap<MessageId, (usize, usize)>,
    heard: BTreeSet<MessageId>,
    answered: BTreeSet<MessageId>,
    /// Every stanza that was ever handed out, by its `id`.
    stanzas: BTreeMap<String, (MessageId, Reply)>,
    /// What the server has and nothing came for yet.
    sent: Vec<ReplyId>,
    /// `id`s of stanzas that came back: their texts were read by nobody.
    came_back: BTreeSet<String>,
    calls: Vec<(String, Timestamp)>,
}

impl Weeks {
    async fn begin(wait: Duration) -> Self {
        let world = World::with(Policy { wait, ..rules() }).await;
        world.store().configure_subscribers(people().to_vec(), world.now).await.unwrap();
        Self {
            world,
            lines: vec![],
            held: vec![],
            pairs: BTreeMap::new(),
            heard: BTreeSet::new(),
            answered: BTreeSet::new(),
            stanzas: BTreeMap::new(),
            sent: vec![],
            came_back: BTreeSet::new(),
            calls: vec![],
        }
    }

    async fn step(&mut self, step: Step) {
        let (store, now) = (self.world.store().clone(), self.world.now);
        match step {
            Step::Write { sender, recipient, room } => {
                let (number, senders) = (self.held.len(), ["alice", "carol", "dora"]);
                let pair = (sender, recipient);
                let sender = format!("{}@example.org/phone", senders[sender]);
                let mut draft = draft(&format!("stanza {number}"), &sender, "Hello");
                draft.recipient = people()[recipient].jid.clone();
                draft.wants_receipt = true;
                let held = store.hold(draft, now, room).await.unwrap();
                self.held.push(held.message);
                self.pairs.insert(held.message, pair);
                held.claim.into_iter().for_each(|claim| self.call(claim));
            }
            Step::Wait(seconds) => self.world.now += Duration::from_secs(seconds),
            Step::WaitForCall => {
                let due = store.next_due().await.unwrap();
                self.world.now = due.map_or(now, |due| due.max(now));
            }
            Step::Claim => {
                let claims = store.claim_due(now, 2).await.unwrap();
                // A lease that ran out ends the call for the store; whoever makes it is too late from then on.
                claims.into_iter().for_each(|claim| self.call(claim));
            }
            Step::Ring(i) => self.progress(i, Progress::Ringing).await,
            Step::PickUp(i) => self.progress(i, Progress::Answered).await,
            Step::Hear(i) => {
                let Some(line) = pick(&mut self.lines, i) else { return };
                let Some(message) = line.to_hear.pop() else { return };
                store.spoken(line.claim.attempt, message, now).await.unwrap();
                self.heard.insert(message);
            }
            Step::Press(i) => {
                let Some(line) = pick(&mut self.lines, i) else { return };
                let Some(message) = line.to_answer.pop() else { return };
                let answer = Answer { message, key: '1', words: "Later.".to_owned() };
                for _ in 0..2 {
                    store.commit_answer(line.claim.attempt, answer.clone(), now).await.unwrap();
                }
                self.answered.insert(message);
            }
            Step::Join(i) => {
                let Some(line) = pick(&mut self.lines, i) else { return };
                let joined = store.joined(line.claim.attempt, now).await.unwrap();
                let ids: Vec<_> = joined.iter().map(|message| message.id).collect();
                assert!(
                    ids.iter().all(|id| !self.heard.contains(id) && !self.answered.contains(id))
                );
                line.to_hear.extend(&ids);
                line.to_answer.extend(&ids);
            }
            Step::End(i, outcome, stop_calls) => {
                if self.lines.is_empty() {
                    return;
                }
                let line = self.lines.remove(i % self.lines.len());
                let mut attempt = attempt(outcome);
                attempt.stop_calls = stop_calls;
                for _ in 0..2 {
                    store.settle(line.claim.attempt, attempt.clone(), now).await.unwrap();
                }
            }
            Step::ComeOnline(recipient) => {
                store.came_online(&people()[recipient].jid, now).await.unwrap();
            }
            Step::TakeOwed(limit) => drop(self.take(limit).await),
            Step::Send(limit) => {
                let sent = self.take(limit).await;
                store.mark_sent(&sent, now).await.unwrap();
                self.sent.extend(sent);
            }
            Step::Arrive => {
                store.settle_sent(&self.sent, now).await.unwrap();
                self.sent.clear();
            }
            Step::ComeBack(i, how) => self.comes_back(i, how).await,
            Step::Expire => drop(store.expire(now).await.unwrap()),
            Step::Crash => {
                drop(store);
                self.lines.clear();
                self.sent.clear();
                self.world.crash().await;
            }
        }
    }

    async fn comes_back(&mut self, i: usize, how: usize) {
        if self.sent.is_empty() {
            return;
        }
        let reply = self.sent.remove(i % self.sent.len());
        let (why, is_temporary) = [
            (ReturnReason::Unreachable, true),
            (ReturnReason::Unreachable, false),
            (ReturnReason::Refused, false),
            (ReturnReason::NotTaken, true),
        ][how];
        let may_ring = why != ReturnReason::Refused;
        let returned = Returned { why, is_temporary, may_ring, condition: "gone".to_owned() };
        let (store, now) = (self.world.store().clone(), self.world.now);
        store.returned(reply, returned, now).await.unwrap();
        let owed = store.owed(10_000).await.unwrap();
        self.came_back.extend(owed.into_iter().filter(|it| it.id == reply).map(|it| it.stanza_id));
    }

    async fn progress(&mut self, i: usize, progress: Progress) {
        let now = self.world.now;
        let Some(line) = pick(&mut self.lines, i) else { return };
        self.world.store().progress(line.claim.attempt, progress, now).await.unwrap();
    }

    /// A call begins: checks that it may.
    fn call(&mut self, claim: Claim) {
        let now = self.world.now;
        // The store gives up a call whose lease ran out; one that is made for so long is ended by its own limit.
        self.lines.retain(|line| {
            line.claim.callee.jid != claim.callee.jid || line.claim.lease_until > now
        });
        assert!(
            self.lines.iter().all(|line| line.claim.callee.jid != claim.callee.jid),
            "one person, one call"
        );
        let ids: Vec<_> = claim.messages.iter().map(|message| message.id).collect();
        assert!(!ids.is_empty() && ids.is_sorted());
        assert!(ids.iter().all(|id| !self.heard.contains(id) && !self.answered.contains(id)));
        let rules = rules();
        let offhook::subscriber::Quiet::Daily(quiet) = rules.quiet else { unreachable!() };
        assert_eq!(quiet.end_after(now, claim.callee.time_zone.as_ref().unwrap()), None);
        self.calls.push((claim.number.as_str().to_owned(), now));
        for Throttle { calls, span } in rules.throttle {
            let recent = self
                .calls
                .iter()
                .filter(|(number, at)| number == claim.number.as_str() && *at + span > now);
            assert!(recent.count() <= calls as usize, "more than {calls} calls in {span:?}");
        }
        let (to_hear, to_answer) = (ids.iter().rev().copied().collect(), ids);
        self.lines.push(Line { claim, to_hear, to_answer });
    }

    /// Hands out what is owed and checks that nothing contradicts what was handed out before.
    async fn take(&mut self, limit: usize) -> Vec<ReplyId> {
        let owed = self.world.store().owed(limit).await.unwrap();
        for owed in &owed {
            if let Some(corrected) = &owed.replaces {
                assert!(self.stanzas.contains_key(corrected), "a correction of what never left");
            }
            let said = (owed.message.id, owed.content.clone());
            let before = self.stanzas.insert(owed.stanza_id.clone(), said.clone());
            let known = before.is_none_or(|before| before == said);
            assert!(known || self.came_back.contains(&owed.stanza_id), "one id, two texts");
        }
        owed.iter().map(|owed| owed.id).collect()
    }

    /// Lets time pass until nothing is held, and checks how each message ended.
    async fn end(mut self) {
        self.step(Step::Crash).await;
        for recipient in 0..self.held.len() % 2 {
            self.step(Step::ComeOnline(recipient)).await;
        }
        self.world.now += rules().keep;
        // What has not ended by now ends here; what ended long ago is erased, and only its stanzas tell.
        while self.world.store().expire(self.world.now).await.unwrap() > 0 {}
        // The second round is for what is said of what has arrived.
        for _ in 0..2 {
            let sent = self.take(10_000).await;
            self.world.store().mark_sent(&sent, self.world.now).await.unwrap();
            self.world.store().settle_sent(&sent, self.world.now).await.unwrap();
        }
        assert_eq!(self.world.owes().await, "");
        assert_eq!(self.world.store().next_due().await.unwrap(), None);
        let reader = Reader::open(&self.world.folder.file()).unwrap();
        for message in &self.held {
            let ending =
                reader.trace(&message.0.to_string()).unwrap().and_then(|t| t.message.ended);
            let told = self.heard.contains(message) || self.answered.contains(message);
            self.check(*message, ending.map(|(_, ending)| ending), told);
        }
    }

    fn check(&self, message: MessageId, ending: Option<HoldingEnd>, told: bool) {
        let about: Vec<_> = self
            .stanzas
            .values()
            .filter(|(id, _)| *id == message)
            .map(|(_, reply)| reply)
            .collect();
        let count = |wanted: &dyn Fn(&Reply) -> bool| about.iter().filter(|r| wanted(r)).count();
        let status = |wanted: Status| count(&|reply| *reply == Reply::Status(wanted));
        let delivered = count(&|reply| *reply == Reply::Delivery);
        let expired = status(Status::Expired) + status(Status::LeftWithServer);
        let of_pair = |wanted: Status| {
            let pair = |id: &MessageId| self.pairs[id] == self.pairs[&message];
            self.stanzas.values().any(|(id, told)| pair(id) && *told == Reply::Status(wanted))
        };
        let expired_of_pair = of_pair(Status::Expired) || of_pair(Status::LeftWithServer);
        assert_eq!(
            count(&|r| matches!(r, Reply::Answer(_))),
            usize::from(self.answered.contains(&message))
        );
        assert_eq!(count(&|r| *r == Reply::Receipt), usize::from(self.heard.contains(&message)));
        // What ended long ago is erased, and only its stanzas tell.
        let ending = ending.or(match (status(Status::Delivered), expired) {
            (1, _) => Some(HoldingEnd::Delivered),
            (_, 1) => Some(HoldingEnd::Expired),
            _ if told => Some(HoldingEnd::Heard),
            _ if of_pair(Status::Delivered) => Some(HoldingEnd::Delivered),
            _ => expired_of_pair.then_some(HoldingEnd::Expired),
        });
        match ending {
            Some(HoldingEnd::Delivered | HoldingEnd::Heard) => {
                assert_eq!(expired, 0, "{message:?}, {ending:?}: {about:?}");
            }
            Some(HoldingEnd::Expired) => {
                assert!(expired <= 1 && expired_of_pair, "{message:?}, {ending:?}: {about:?}");
            }
            Some(HoldingEnd::Corrected | HoldingEnd::Retracted) => {
                unreachable!("nobody thinks twice")
            }
            None => panic!("{message:?} has no end; about it: {about:?}"),
        }
        assert!(delivered > 0, "nothing is dropped unoffered: {message:?}, {about:?}");
        assert!(ending != Some(HoldingEnd::Heard) || told);
        assert!(ending != Some(HoldingEnd::Expired) || !told);
    }
}

fn pick(lines: &mut [Line], i: usize) -> Option<&mut Line> {
    let count = lines.len().max(1);
    lines.get_mut(i % count)
}

fn people() -> [Subscriber; 2] {
    let ann = Subscriber {
        jid: "ann@example.org".parse().unwrap(),
        name: "Ann".to_owned(),
        number: "+81378902222".parse().ok(),
        ..bob()
    };
    [bob(), ann]
}

fn rules() -> Policy {
    let Policy { throttle, sender_throttle, quiet, .. } = Policy::default();
    let keep = Duration::from_secs(40 * 3600);
    Policy { throttle, sender_throttle, quiet, keep, keep_trace: keep, ..policy() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn each_message_ends_once_and_no_phone_rings_too_often(
        steps in steps(),
        wait_s in prop::sample::select(vec![0, 60]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut weeks = Weeks::begin(Duration::from_secs(wait_s)).await;
            for step in steps {
                weeks.step(step).await;
            }
            weeks.end().await;
        });
    }
}
