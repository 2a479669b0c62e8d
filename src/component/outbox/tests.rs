use super::*;
use crate::clock;
use crate::component::events::Output;
use crate::notification::{Draft, Message, MessageId, Owed, Reply};

/// The outbox, and what it has asked for.
struct World {
    outbox: Outbox,
    effects: Effects,
    now: Now,
}

impl World {
    fn new() -> Self {
        let now = Now { mono: clock::now(), at: clock::moment() };
        let outbox = Outbox::new("phone.example.org".to_owned(), now);
        let mut world = Self { outbox, effects: Effects::default(), now };
        world.link(true);
        world
    }

    /// What it asks the store for, if it does.
    fn asks(&mut self) -> Option<OwedRoom> {
        self.outbox.step(self.now, &mut self.effects);
        loop {
            match self.effects.poll()? {
                Output::Store { job: StoreJob::Owed(room), .. } => return Some(room),
                _ => continue,
            }
        }
    }

    /// The store gives these rows; there is `more`.
    fn reads(
        &mut self,
        rows: impl IntoIterator<Item = i64>,
        has_bulk: bool,
        more: bool,
    ) -> BatchId {
        let stanzas = rows.into_iter().map(owed).collect();
        let read = OwedStanzas { stanzas, has_bulk, more, next: None };
        self.read(read).unwrap()
    }

    fn read(&mut self, read: OwedStanzas) -> Option<BatchId> {
        let grants = Grants::default();
        match self.outbox.read(Some(read), &grants, self.now, &mut self.effects)? {
            Outgoing::Batch(id, _) => Some(id),
            other @ Outgoing::Stanza(_) => panic!("no batch: {other:?}"),
        }
    }

    fn link(&mut self, is_up: bool) {
        self.outbox.link(is_up, self.now, &mut self.effects);
    }

    fn marked(&mut self, rows: impl IntoIterator<Item = i64>) {
        let rows: Vec<_> = rows.into_iter().map(ReplyId).collect();
        self.outbox.marked(&rows, self.now, &mut self.effects);
    }

    /// What it asks the store for, but for what is owed.
    fn jobs(&mut self) -> Vec<StoreJob> {
        self.outbox.step(self.now, &mut self.effects);
        let jobs = std::iter::from_fn(|| self.effects.poll());
        let job = |output| match output {
            Output::Store { job, .. } if !matches!(job, StoreJob::Owed(_)) => Some(job),
            _ => None,
        };
        jobs.filter_map(job).collect()
    }

    fn pong(&mut self, id: BatchId) {
        self.outbox.batch(id, true, self.now, &mut self.effects);
    }
}

fn owed(id: i64) -> Owed {
    let draft = Draft {
        stanza_id: None,
        sender: "alice@example.org/x".parse().unwrap(),
        recipient: "bob@example.org".parse().unwrap(),
        body: "Hello".to_owned(),
        language: None,
        wants_receipt: false,
        stanza: String::new(),
        how: Default::default(),
    };
    let at = "2026-11-30T10:00:00Z".parse().unwrap();
    Owed {
        id: ReplyId(id),
        stanza_id: id.to_string(),
        message: Message {
            id: MessageId(id),
            received: at,
            draft,
            status_stanza_id: "s".to_owned(),
            chain: Default::default(),
        },
        callee_name: "Bob".to_owned(),
        language: None,
        since: at,
        zone: jiff::tz::TimeZone::UTC,
        zone_of: crate::notification::ZoneOf::Reader,
        replaces: None,
        lines: crate::notification::Lines::ONE,
        content: Reply::Receipt,
    }
}

#[test]
fn batches_follow_each_other_without_waiting_for_a_pong_up_to_a_bound() {
    let mut world = World::new();
    let mut sent = 0;
    while let Some(room) = world.asks() {
        assert_eq!(room.limit, BATCH);
        assert_eq!(room.on_their_way.len(), sent * BATCH, "none goes twice");
        let first = (sent * BATCH) as i64;
        world.reads(first..first + BATCH as i64, false, true);
        sent += 1;
    }
    assert_eq!(sent, BATCHES_MAX);
    world.pong(BatchId(0));
    let room = world.asks().unwrap();
    assert_eq!(room.on_their_way.len(), sent * BATCH, "what is answered for is not marked yet");
    world.marked(0..BATCH as i64);
    world.reads(1000..1001, false, false);
    assert!(world.asks().is_none());
}

#[test]
fn bulk_leaves_places_for_news() {
    let mut world = World::new();
    for nth in 0..BULK_MAX as i64 {
        assert!(world.asks().unwrap().bulk);
        world.reads([nth], true, true);
    }
    let room = world.asks().unwrap();
    assert!(!room.bulk, "all its places are taken");
    assert!(world.read(OwedStanzas::default()).is_none());
    assert!(world.asks().is_none() && !world.outbox.is_idle());
    // Somebody's first word.
    world.outbox.wake();
    assert!(!world.asks().unwrap().bulk);
    let news = world.reads([100], false, false);
    world.pong(news);
    assert!(world.asks().is_none(), "bulk still has no place");
    world.pong(BatchId(0));
    assert!(world.asks().unwrap().bulk, "and goes on when it has one");
}

#[test]
fn what_was_on_its_way_when_the_stream_was_lost_goes_again_and_nothing_else() {
    let mut world = World::new();
    world.asks();
    let first = world.reads([1], false, true);
    world.asks();
    let second = world.reads([2], false, false);
    world.pong(first);
    world.link(false);
    world.outbox.batch(second, false, world.now, &mut world.effects);
    world.link(true);
    world.now.mono += RETRY;
    let room = world.asks().unwrap();
    assert_eq!(room.on_their_way, [ReplyId(1)].into());
}

#[test]
fn while_a_server_ends_streams_one_batch_alone_is_on_its_way() {
    let mut world = World::new();
    world.asks();
    let first = world.reads([1, 2], false, true);
    world.asks();
    let second = world.reads([3, 4], false, true);
    world.link(false);
    for lost in [first, second] {
        world.outbox.batch(lost, false, world.now, &mut world.effects);
    }
    world.link(true);
    world.now.mono += RETRY;
    world.asks().unwrap();
    let first = world.reads([1, 2], false, true);
    assert!(world.asks().is_none());
    world.pong(first);
    world.asks().unwrap();
    let second = world.reads([3, 4], false, false);
    world.pong(second);
    world.marked([1, 2, 3, 4]);
    world.outbox.wake();
    world.asks().unwrap();
    world.reads([5], false, true);
    assert!(world.asks().is_some(), "the trouble is over");
}

#[test]
fn what_has_arrived_is_settled_a_slice_at_a_time() {
    let mut world = World::new();
    let rows = (SETTLED_AT_ONCE_MAX + 10) as i64;
    world.asks();
    let id = world.reads(0..rows, true, false);
    world.pong(id);
    world.marked(0..rows);
    world.jobs();
    world.now.mono += crate::component::sent::GRACE;
    let settled = |jobs: Vec<StoreJob>| match &jobs[..] {
        [StoreJob::SettleSent(rows)] => rows.clone(),
        other => panic!("{other:?}"),
    };
    let first = settled(world.jobs());
    assert_eq!(first.len(), SETTLED_AT_ONCE_MAX);
    assert_eq!(world.jobs(), [], "the next one waits");
    world.outbox.settled(&first);
    assert_eq!(settled(world.jobs()).len(), 10);
}

#[test]
fn what_a_lost_stream_left_unsettled_is_owed_again_a_slice_at_a_time() {
    let mut world = World::new();
    let rows = (OWED_AGAIN_AT_ONCE_MAX + 10) as i64;
    world.asks();
    let id = world.reads(0..rows, true, false);
    world.pong(id);
    world.marked(0..rows);
    world.jobs();
    world.link(false);
    world.link(true);
    let again = |jobs: Vec<StoreJob>| match &jobs[..] {
        [StoreJob::OweUnsettled(rows)] => rows.clone(),
        other => panic!("{other:?}"),
    };
    let first = again(world.jobs());
    assert_eq!(first.len(), OWED_AGAIN_AT_ONCE_MAX);
    world.outbox.owed_again(&first, world.now, &mut world.effects);
    assert_eq!(again(world.jobs()).len(), 10);
}
