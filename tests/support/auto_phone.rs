//! A phone that answers every call by itself, by key or by voice. Each key waits for what it answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::phone::{Call, Phone};

/// What it does once it is answered.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Presses 5, then 1.
    Key,
    /// Presses 5 and 7, speaks, presses 8 and tells here which number was called, and presses 1.
    Voice(mpsc::Sender<String>),
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Rings,
    PickedUp,
    SpokenTo,
    PressedHear,
    PressedAnswer,
}

/// Rings and answers as told, whatever number is called. It goes with its last handle.
pub(crate) struct AutoPhone {
    /// Where it takes calls.
    pub(crate) sip: SocketAddr,
    /// Each step of each call, with the number that was called.
    steps: UnboundedReceiver<(String, Step)>,
    seen: Vec<(String, Step)>,
    _life: JoinSet<()>,
}

impl AutoPhone {
    /// A phone that rings for `ring` and then is picked up.
    pub(crate) async fn start(ring: Duration, manner: Manner) -> Self {
        let mut phone = Phone::start().await;
        let sip = phone.address;
        let (told, steps) = mpsc::unbounded_channel();
        let mut life = JoinSet::new();
        life.spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                let call = phone.next_call().await;
                // A call whose caller was killed is left.
                calls.spawn(timeout(CALL_MAX, answer(call, ring, manner.clone(), told.clone())));
            }
        });
        Self { sip, steps, seen: Vec::new(), _life: life }
    }

    /// Whether a call to this number has come so far.
    pub(crate) fn has_come_to(&mut self, number: &str, step: Step) -> bool {
        while let Ok(seen) = self.steps.try_recv() {
            self.seen.push(seen);
        }
        self.seen.iter().any(|(called, seen)| (&**called, *seen) == (number, step))
    }
}

async fn answer(
    mut call: Call,
    ring: Duration,
    manner: Manner,
    told: UnboundedSender<(String, Step)>,
) {
    let number = call.number().to_owned();
    // Nobody has to listen.
    let tells = |step| drop(told.send((number.clone(), step)));
    tells(Step::Rings);
    sleep(ring).await;
    call.picks_up().await;
    tells(Step::PickedUp);
    call.is_spoken_to().await;
    tells(Step::SpokenTo);
    call.presses(5);
    tells(Step::PressedHear);
    call.is_spoken_to().await;
    match manner {
        Manner::Key => {
            call.presses(1);
            tells(Step::PressedAnswer);
        }
        Manner::Voice(told) => {
            call.presses(7);
            call.is_spoken_to().await;
            // Cuts short what is said before the tone.
            call.presses(1);
            call.is_spoken_to().await;
            call.hears_nothing_for(Duration::from_millis(500)).await;
            call.speaks(Duration::from_millis(2200)).await;
            call.presses(8);
            let _ = told.send(call.number().to_owned()).await;
            call.is_spoken_to().await;
            call.presses(1);
        }
    }
    call.hears_nothing_for(Duration::from_secs(2)).await;
}

const CALL_MAX: Duration = Duration::from_secs(200);
