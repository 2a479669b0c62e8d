use super::*;
use crate::clock;
use crate::component::events::Output;

struct World {
    housekeeping: Housekeeping,
    effects: Effects,
    now: Now,
}

impl World {
    /// One in which all that a start begins with is done.
    fn new() -> Self {
        let mut world = Self::at_start();
        for job in world.asks() {
            let done = match &job {
                StoreJob::DeliverMore => JobDone::DeliveredMore(false),
                StoreJob::Replan { .. } => JobDone::Replanned(None),
                StoreJob::Expire(_) => JobDone::Expired(Expired { found: 0, next: None }),
                _ => JobDone::Done,
            };
            world.done(&job, done);
        }
        assert_eq!(world.asks(), []);
        world
    }

    fn at_start() -> Self {
        let now = Now { mono: clock::now(), at: clock::moment() };
        Self { housekeeping: Housekeeping::new(now), effects: Effects::default(), now }
    }

    fn asks(&mut self) -> Vec<StoreJob> {
        self.housekeeping.step(self.now, &mut self.effects);
        let mut jobs = vec![];
        while let Some(output) = self.effects.poll() {
            if let Output::Store { job, .. } = output {
                jobs.push(job);
            }
        }
        jobs
    }

    fn done(&mut self, job: &StoreJob, done: JobDone) {
        self.housekeeping.done(job, Some(done), self.now);
    }

    fn asks_for(&mut self, job: StoreJob) {
        assert_eq!(self.asks(), [job]);
        assert_eq!(self.asks(), [], "one slice at a time");
    }
}

fn behind(last: &str) -> StoreJob {
    StoreJob::Replan { after: last.to_owned() }
}

#[test]
fn a_start_begins_what_an_earlier_run_may_have_left() {
    let jobs = World::at_start().asks();
    let asked = |wanted: &StoreJob| jobs.iter().filter(|job| *job == wanted).count();
    let all = [
        StoreJob::DeliverMore,
        behind(""),
        StoreJob::Expire(ExpiryStep::TimeUp),
        StoreJob::EraseAsAsked,
    ];
    assert!(jobs.len() == all.len() && all.iter().all(|job| asked(job) == 1), "{jobs:?}");
}

#[test]
fn a_new_plan_goes_on_behind_the_last_slice_and_from_the_beginning_when_it_is_asked_for_again() {
    let mut world = World::new();
    world.housekeeping.replan(world.now);
    world.asks_for(behind(""));
    world.done(&behind(""), JobDone::Replanned(Some("b".to_owned())));
    world.asks_for(behind("b"));
    world.housekeeping.replan(world.now);
    world.done(&behind("b"), JobDone::Replanned(Some("c".to_owned())));
    world.asks_for(behind(""));
    world.housekeeping.done(&behind(""), None, world.now);
    assert_eq!(world.asks(), [], "the store failed");
    world.now.mono += RETRY;
    world.asks_for(behind(""));
    world.done(&behind(""), JobDone::Replanned(None));
    assert_eq!(world.asks(), []);
}

#[test]
fn deliveries_go_on_until_none_is_left() {
    let mut world = World::new();
    for _ in 0..3 {
        world.housekeeping.deliver_more(world.now);
        world.asks_for(StoreJob::DeliverMore);
        world.done(&StoreJob::DeliverMore, JobDone::DeliveredMore(true));
        world.asks_for(StoreJob::DeliverMore);
        // Somebody else comes online meanwhile.
        world.housekeeping.deliver_more(world.now);
        world.done(&StoreJob::DeliverMore, JobDone::DeliveredMore(false));
        world.asks_for(StoreJob::DeliverMore);
        world.done(&StoreJob::DeliverMore, JobDone::DeliveredMore(false));
        assert_eq!(world.asks(), []);
    }
}

#[test]
fn one_call_tries_a_trunk_that_answers_and_all_follow_when_it_works() {
    let mut world = World::new();
    let one = StoreJob::TrunkWorks { limit: 1 };
    world.housekeeping.trunk(TrunkNews::Answers, world.now);
    world.asks_for(one.clone());
    world.done(&one, JobDone::BroughtForward(1));
    assert_eq!(world.asks(), []);
    let all = StoreJob::TrunkWorks { limit: usize::MAX };
    world.housekeeping.trunk(TrunkNews::Answers, world.now);
    world.asks_for(one.clone());
    world.housekeeping.trunk(TrunkNews::Works, world.now);
    world.done(&one, JobDone::BroughtForward(1));
    for _ in 0..3 {
        world.asks_for(all.clone());
        world.done(&all, JobDone::BroughtForward(50));
    }
    world.asks_for(all.clone());
    world.done(&all, JobDone::BroughtForward(0));
    assert_eq!(world.asks(), []);
    world.housekeeping.trunk(TrunkNews::Answers, world.now);
    world.asks_for(one);
}

#[test]
fn a_stop_begins_no_further_slice() {
    let mut world = World::new();
    world.housekeeping.deliver_more(world.now);
    world.asks_for(StoreJob::DeliverMore);
    world.housekeeping.stop();
    world.done(&StoreJob::DeliverMore, JobDone::DeliveredMore(true));
    assert_eq!(world.asks(), []);
    assert_eq!(world.housekeeping.deadline(), None);
}

#[test]
fn operators_are_told_while_there_is_a_stream() {
    let mut world = World::new();
    world.housekeeping.link(true);
    world.asks_for(StoreJob::TakeAlerts);
    world.done(&StoreJob::TakeAlerts, JobDone::Alerts(vec![]));
    assert_eq!(world.asks(), [], "the next look comes later");
    world.housekeeping.link(false);
    world.now.mono += LOOKS_EVERY;
    assert_eq!(world.asks(), [StoreJob::EraseAsAsked], "nobody can be told now");
    world.housekeeping.link(true);
    world.asks_for(StoreJob::TakeAlerts);
}
