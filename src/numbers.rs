//! What is counted and timed while the program runs, for `/metrics`. No label names a person, a number or a text.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The counts of one run of the program. Clones share them.
#[derive(Clone, Debug)]
pub struct Numbers {
    calls: Family<CallLabels, Counter>,
    talked: Counter<f64, AtomicU64>,
    packets: Family<PacketLabels, Counter>,
    keys: Counter,
    limits: Family<LimitLabels, Counter>,
    invite_after: Histogram,
    first_word_after: Histogram,
    speech: Histogram,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            talked: Counter::default(),
            packets: Family::default(),
            keys: Counter::default(),
            limits: Family::default(),
            invite_after: Histogram::new([0.01, 0.05, 0.2, 1.0, 5.0, 60.0, 120.0, 600.0, 3600.0]),
            first_word_after: Histogram::new([0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0]),
            speech: Histogram::new([0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0]),
        }
    }
}

impl Numbers {
    /// A call is over. Without a trunk no INVITE of it has left.
    pub fn call_ended(&self, outcome: &'static str, trunk: &str, talked: Duration) {
        let trunk = if trunk.is_empty() { "none" } else { trunk };
        let labels = CallLabels { outcome, trunk: trunk.to_owned() };
        self.calls.get_or_create(&labels).inc();
        self.talked.inc_by(talked.as_secs_f64());
    }

    /// Packets of a call's sound.
    pub fn packets(&self, fate: PacketFate, packets: u32) {
        self.packets.get_or_create(&PacketLabels { fate }).inc_by(packets.into());
    }

    /// A key was pressed on a callee's phone. Which one is theirs alone.
    pub fn key_pressed(&self) {
        self.keys.inc();
    }

    /// A limit has kept a message from being held or a phone from ringing. `limit`: as the operator knows it.
    pub fn limit_reached(&self, limit: impl ToString) {
        self.limits.get_or_create(&LimitLabels { limit: limit.to_string() }).inc();
    }

    /// An INVITE has left so long after the newest message it is about.
    pub fn invited_after(&self, wait: Duration) {
        self.invite_after.observe(wait.as_secs_f64());
    }

    /// The first sound of ours has left so long after the answer.
    pub fn first_word_after(&self, wait: Duration) {
        self.first_word_after.observe(wait.as_secs_f64());
    }

    /// A prompt took so long to be spoken into a file.
    pub fn speech_made(&self, took: Duration) {
        self.speech.observe(took.as_secs_f64());
    }

    /// All of it and what is so now, as Prometheus reads it.
    ///
    /// Source: OpenMetrics 1.0.
    pub fn exposition(&self, now: &Condition) -> String {
        let mut all = Registry::with_prefix("offhook");
        all.register("calls", "Calls that are over", self.calls.clone());
        all.register_with_unit("talk", "Time on the line", Unit::Seconds, self.talked.clone());
        all.register(
            "rtp_packets",
            "Packets of sound, of calls that are over",
            self.packets.clone(),
        );
        all.register("keys", "Keys pressed on phones", self.keys.clone());
        all.register(
            "limits_reached",
            "Times that a limit kept something back",
            self.limits.clone(),
        );
        let timed = [
            (
                "stanza_to_invite",
                "From the newest message of a call to its INVITE",
                &self.invite_after,
            ),
            ("first_word", "From the answer to the first sound", &self.first_word_after),
            ("speech", "Time to make the sound of a prompt", &self.speech),
        ];
        for (name, help, histogram) in timed {
            all.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        now.register(&mut all);
        let mut text = String::new();
        // A String takes everything.
        let _ = encode(&mut text, &all);
        text
    }
}

/// What became of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(missing_docs)] // Each says itself.
pub enum PacketFate {
    Sent,
    Received,
    Lost,
    LostAtFarEnd,
}

/// What is so at this moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// The stream to the XMPP server is up.
    pub is_linked: bool,
    /// In the operator's order.
    pub trunks: Vec<TrunkCondition>,
    /// `None` when the store cannot be read.
    pub store: Option<StoreCondition>,
    /// There is a voice for `speech.language`.
    pub has_voice: bool,
    /// What is free on the store's disk, in octets.
    pub disk_free: Option<u64>,
}

/// A trunk at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkCondition {
    /// Its name in `component.toml`.
    pub name: String,
    /// It is not in cooldown.
    pub is_usable: bool,
    /// Calls on it.
    pub calls: u32,
}

/// The store at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCondition {
    /// Messages that are held.
    pub held: i64,
    /// Stanzas that are owed to senders.
    pub owed: i64,
    /// How long the oldest call that is due has waited for its turn.
    pub queue_age: Duration,
    /// Octets of the file and its write-ahead log.
    pub octets: u64,
}

impl Condition {
    fn register(&self, all: &mut Registry) {
        let number = |value: i64| {
            let gauge: Gauge = Gauge::default();
            gauge.set(value);
            gauge
        };
        all.register(
            "link_up",
            "The stream to the XMPP server is up",
            number(self.is_linked.into()),
        );
        all.register("voice_ready", "There is a voice", number(self.has_voice.into()));
        let (usable, calls) = (Family::default(), Family::default());
        for TrunkCondition { name, is_usable, calls: now } in &self.trunks {
            let labels = TrunkLabels { trunk: name.clone() };
            let (usable, calls): (&Family<_, Gauge>, &Family<_, Gauge>) = (&usable, &calls);
            usable.get_or_create(&labels).set((*is_usable).into());
            calls.get_or_create(&labels).set((*now).into());
        }
        all.register("trunk_usable", "The trunk is not in cooldown", usable);
        all.register("trunk_calls", "Calls on the trunk", calls);
        all.register(
            "store_readable",
            "The store can be read",
            number(self.store.is_some().into()),
        );
        if let Some(store) = self.store {
            all.register("held_messages", "Messages that are held", number(store.held));
            all.register("owed_stanzas", "Stanzas owed to senders", number(store.owed));
            let age = number(store.queue_age.as_secs().cast_signed());
            let help = "How long the oldest call that is due has waited";
            all.register_with_unit("queue_age", help, Unit::Seconds, age);
            let octets = number(store.octets.cast_signed());
            all.register_with_unit("store_size", "The store's files", Unit::Bytes, octets);
        }
        if let Some(free) = self.disk_free {
            let free = number(free.min(i64::MAX as u64).cast_signed());
            all.register_with_unit("disk_free", "Free on the store's disk", Unit::Bytes, free);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    outcome: &'static str,
    trunk: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PacketLabels {
    fate: PacketFate,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TrunkLabels {
    trunk: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_and_what_is_so_stand_in_the_exposition() {
        let numbers = Numbers::default();
        numbers.call_ended("answered", "pbx", Duration::from_secs(20));
        numbers.call_ended("answered", "pbx", Duration::from_millis(500));
        numbers.call_ended("cancelled", "", Duration::ZERO);
        numbers.clone().packets(PacketFate::LostAtFarEnd, 3);
        numbers.limit_reached("dial.throttle 3/15m");
        numbers.first_word_after(Duration::from_millis(700));
        let trunk = TrunkCondition { name: "pbx".into(), is_usable: true, calls: 2 };
        let store =
            StoreCondition { held: 7, queue_age: Duration::from_secs(9), ..Default::default() };
        let now = Condition {
            is_linked: true,
            trunks: vec![trunk],
            store: Some(store),
            ..Default::default()
        };
        let text = numbers.exposition(&now);
        for line in [
            "offhook_calls_total{outcome=\"answered\",trunk=\"pbx\"} 2",
            "offhook_calls_total{outcome=\"cancelled\",trunk=\"none\"} 1",
            "offhook_talk_seconds_total 20.5",
            "offhook_rtp_packets_total{fate=\"LostAtFarEnd\"} 3",
            "offhook_limits_reached_total{limit=\"dial.throttle 3/15m\"} 1",
            "offhook_first_word_seconds_bucket{le=\"0.75\"} 1",
            "offhook_first_word_seconds_bucket{le=\"0.5\"} 0",
            "offhook_link_up 1",
            "offhook_voice_ready 0",
            "offhook_trunk_calls{trunk=\"pbx\"} 2",
            "offhook_held_messages 7",
            "offhook_queue_age_seconds 9",
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
        }
        assert!(!text.contains("offhook_disk_free"), "{text}");
        assert!(numbers.exposition(&Condition::default()).contains("offhook_store_readable 0"));
    }
}
