//! A network that loses a quarter of what it carries.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use offhook::seed::Seed;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::call::Call;
use crate::programs::Sipp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_calls_through_a_quarter_of_loss_ninety_nine_complete() {
    let phone = Sipp::start_for("answers_through_loss", CALLS);
    let lossy = Lossy::start(phone.port).await;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let call = Call::to(lossy.port).hanging_up_after(Duration::from_millis(300));
        calls.spawn(call.run());
        // As a trunk paces them, so that no call loses a datagram to a full socket.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut complete, mut open_here) = (0, CALLS);
    while let Some(call) = calls.join_next().await {
        let Call { told, settled, .. } = call.unwrap();
        open_here -= usize::from(settled);
        let ended = told.last().map(String::as_str);
        complete +=
            usize::from(told.iter().any(|it| it == "answered") && ended == Some("over ByUs"));
    }
    let (lost, carried) = lossy.counts();
    assert!(lost * 5 > carried, "{lost} of {} were lost, which is no test", lost + carried);
    assert!(complete + 1 >= CALLS, "{complete} of {CALLS} calls were complete");
    assert_eq!(open_here, 0, "dialogs are left open at our side");
    let mut calls = phone.calls();
    for _ in 0..30 {
        if calls[0] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        calls = phone.calls();
    }
    let [open, hung_up, failed] = calls;
    println!(
        "{lost} of {} datagrams lost, {complete} of {CALLS} calls complete; open: here {open_here}, there {open}",
        lost + carried
    );
    assert_eq!((open, failed), (0, 0), "dialogs are left open at the phone; {hung_up} are not");
}

/// Carries datagrams to a port on loopback and back, three of four.
struct Lossy {
    port: u16,
    counts: Arc<(AtomicU32, AtomicU32)>,
}

impl Lossy {
    async fn start(phone: u16) -> Self {
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let port = front.local_addr().unwrap().port();
        let counts = Arc::<(AtomicU32, AtomicU32)>::default();
        let counted = counts.clone();
        tokio::spawn(async move {
            let mut trunk_pool: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
            let mut seed = Seed::fixed(1);
            let mut datagram = vec![0; 65_536];
            loop {
                let (length, from) = front.recv_from(&mut datagram).await.unwrap();
                if let Entry::Vacant(unknown) = trunk_pool.entry(from) {
                    let way = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    way.connect(("127.0.0.1", phone)).await.unwrap();
                    let back = Back { way: way.clone(), front: front.clone(), to: from };
                    tokio::spawn(back.carry(seed.split(), counted.clone()));
                    unknown.insert(way);
                }
                if survives(&mut seed, &counted) {
                    let _ = trunk_pool[&from].send(&datagram[..length]).await;
                }
            }
        });
        Self { port, counts }
    }

    /// Datagrams lost, and carried.
    fn counts(&self) -> (u32, u32) {
        (self.counts.0.load(Ordering::Relaxed), self.counts.1.load(Ordering::Relaxed))
    }
}

struct Back {
    way: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    to: SocketAddr,
}

impl Back {
    async fn carry(self, mut seed: Seed, counts: Arc<(AtomicU32, AtomicU32)>) {
        let mut datagram = vec![0; 65_536];
        while let Ok(length) = self.way.recv(&mut datagram).await {
            if survives(&mut seed, &counts) {
                let _ = self.front.send_to(&datagram[..length], self.to).await;
            }
        }
    }
}

fn survives(seed: &mut Seed, counts: &(AtomicU32, AtomicU32)) -> bool {
    let lost = seed.below(4) == 0;
    (if lost { &counts.0 } else { &counts.1 }).fetch_add(1, Ordering::Relaxed);
    !lost
}

const CALLS: usize = 100;
