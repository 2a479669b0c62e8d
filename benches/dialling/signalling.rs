//! A call's signalling by itself: the SIP machine, its socket, and what the call makes durable.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use offhook::clock::{now, timestamp};
use offhook::media::codec::Codec;
use offhook::notification::policy::Policy;
use offhook::notification::{Attempt, Claim, Draft, Outcome, Progress, ReplyId};
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::offer;
use offhook::sip::transport::{SipSettings, UserAgent};
use offhook::sip::trunk::{Dtmf, Trunk};
use offhook::store::Store;
use offhook::subscriber::{Quiet, Senders, Subscriber, WhenOffline};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Claims, places and settles calls that have been held before, and prints the processor time of this process for each.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn run(rate: usize, calls: usize, sip: SocketAddr, folder: &Path) {
    let store = filled(calls, folder).await;
    let trunk = Arc::new(trunk(sip));
    let any = SipSettings::listening("127.0.0.1:0".parse().unwrap());
    let agent = UserAgent::bind(any, vec![trunk.clone()], Seed::fresh()).await.unwrap();
    let (before, began) = (cpu_s(), now());
    let (mut placed, mut running) = (0, JoinSet::new());
    while placed < calls {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as usize;
        let room = due.min(calls) - placed;
        if room > 0 {
            for claim in store.claim_due(timestamp(), room).await.unwrap() {
                placed += 1;
                running.spawn(call(claim, store.clone(), agent.clone(), trunk.clone()));
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
    while running.join_next().await.is_some() {}
    let (spent, wall) = (cpu_s() - before, began.elapsed().as_secs_f64());
    println!("{:.6} {wall:.3}", spent * 1e3 / calls as f64);
}

async fn call(claim: Claim, store: Store, agent: UserAgent, trunk: Arc<Trunk>) {
    let path = agent.reach("bench").await.unwrap();
    let rtp = SocketAddr::from(([127, 0, 0, 1], 9));
    let plan = InvitePlan {
        trunk,
        number: Some(claim.number.clone()),
        local_addr: path.local_addr,
        offer: offer(rtp, &[Codec::Pcmu, Codec::Pcma], Dtmf::Auto, 1),
        patience: path.patience(),
        setup: Duration::from_secs(20),
        ring: Duration::from_secs(20),
    };
    let mut invite = Invite::new(plan, Seed::fresh(), now());
    let sip_call_id = invite.call_id().to_owned();
    let mut line = agent.channel(path, &sip_call_id);
    let mut told = JoinSet::new();
    let mut tell = |progress| {
        let (store, attempt) = (store.clone(), claim.attempt);
        told.spawn(async move { store.progress(attempt, progress, timestamp()).await.unwrap() });
    };
    'call: loop {
        while let Some(output) = invite.poll() {
            match output {
                Output::Send(bytes) => line.send(&bytes).await.unwrap(),
                Output::Ringing => tell(Progress::Ringing),
                Output::Answered(_) => tell(Progress::Answered),
                Output::Over(_) | Output::Done => break 'call,
                _ => {}
            }
        }
        let deadline = invite.deadline().unwrap();
        tokio::select! {
            Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
            () = tokio::time::sleep_until(deadline.into()) => invite.handle(Input::Tick, now()),
        }
    }
    told.join_all().await;
    let attempt = Attempt {
        outcome: Outcome::Answered,
        status: None,
        cause: None,
        rang: Duration::from_millis(1),
        talked: Duration::from_millis(1),
        sip_call_id,
        trunk: "bench".to_owned(),
        stop_calls: false,
        retry_after: None,
        picked_up: None,
        quality: None,
        cut: None,
        ladder: String::new(),
    };
    store.settle(claim.attempt, attempt, timestamp()).await.unwrap();
    tokio::spawn(line.see_out(invite));
}

/// A store with a message for each of many people, and nothing owed.
async fn filled(calls: usize, folder: &Path) -> Store {
    let policy = Policy {
        wait: Duration::ZERO,
        quiet: Quiet::Never,
        throttle: vec![],
        sender_throttle: vec![],
        sender_calls: vec![],
        calls_per_day_max: 1_000_000,
        minutes_per_day_max: 1_000_000,
        attempts: 1,
        allow: vec!["+999".to_owned()],
        senders: Senders::Everyone,
        ..Policy::default()
    };
    let store = Store::open(&folder.join("signalling.db"), policy).unwrap();
    store.recover(timestamp()).await.unwrap();
    let people: Vec<_> = (0..calls).map(person).collect();
    store.configure_subscribers(people.clone(), timestamp()).await.unwrap();
    for people in people.chunks(64) {
        let held: JoinSet<_> =
            people.iter().map(|person| store.hold(draft(person), timestamp(), 0)).collect();
        held.join_all().await.into_iter().for_each(|held| drop(held.unwrap()));
    }
    loop {
        let owed = store.owed(64).await.unwrap();
        let ids: Vec<ReplyId> = owed.iter().map(|owed| owed.id).collect();
        if ids.is_empty() {
            return store;
        }
        store.mark_sent(&ids, timestamp()).await.unwrap();
    }
}

fn person(number: usize) -> Subscriber {
    Subscriber {
        jid: format!("p{number}@bench.example").parse().unwrap(),
        name: "Person".to_owned(),
        number: Some(format!("+999000{number:06}").parse().unwrap()),
        second: None,
        offline: WhenOffline::Phone,
        refuses_presence: false,
        agreed: None,
        language: None,
        slow: false,
        quiet: None,
        time_zone: None,
        pin: None,
        senders: None,
    }
}

fn draft(person: &Subscriber) -> Draft {
    Draft {
        stanza_id: Some("m".to_owned()),
        sender: "a@bench.example/a".parse().unwrap(),
        recipient: person.jid.clone(),
        body: "Can you come?".to_owned(),
        language: None,
        wants_receipt: false,
        stanza: "<message xmlns='jabber:component:accept' type='chat'><body>Can you come?</body></message>".to_owned(),
        how: Default::default(),
    }
}

fn trunk(sip: SocketAddr) -> Trunk {
    Trunk {
        name: "bench".to_owned(),
        calls_max: 5000,
        calls_per_s_max: 1000,
        ..Trunk::plain(format!("sip:{sip}").parse().unwrap(), "sip:offhook@127.0.0.1")
    }
}

/// Processor time of this process so far, in seconds.
fn cpu_s() -> f64 {
    let all = fs::read_dir("/proc/self/task").unwrap().map(|task| {
        let spent = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        spent.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    });
    all.sum::<f64>() / 1e9
}
