//! What another run of the program must know to end a call that this one leaves behind when it is killed.

use std::sync::Arc;
use std::time::Instant;

use super::fork::Fork;
use super::request::InviteContent;
use super::session_timer::USUAL_S;
use super::{Input, Invite, InvitePlan, Output, Phase};
use crate::seed::Seed;
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Message, Method, Start};
use crate::sip::message_builder::MessageBuilder;
use crate::sip::trunk::{Transport, Trunk};
use crate::sip::via::LocalAddr;
use crate::sip::{PATIENCE, T1};

impl Invite {
    /// The trunk tries: from now on a CANCEL could be owed.
    pub(super) fn note_invite(&mut self) {
        let invite = self.request();
        let mut builder = MessageBuilder::request(&Method::Invite, invite.request_uri());
        for name in ["Via", "Route", "From", "To", "Call-ID", "CSeq"] {
            for value in invite.all(name) {
                builder = builder.header(name, value);
            }
        }
        self.note(builder.end());
    }

    /// The call was answered, or the far end is to be reached elsewhere: from now on a BYE is owed.
    pub(super) fn note_dialog(&mut self) {
        // A caller hangs up by themselves when they hear nothing.
        let Some(fork) = self.forks.first().filter(|_| !self.invites.is_empty()) else { return };
        let record = fork.dialog.record();
        self.note(record);
    }

    fn note(&mut self, record: Vec<u8>) {
        let Ok(record) = String::from_utf8(record) else { return };
        // It is kept before anybody reads that the phone rings or was answered.
        self.events.push_front(Output::Dialog(record));
    }

    /// Takes up a call of an earlier run from the last [`Output::Dialog`] of it, and ends it: by CANCEL or BYE, which are the
    /// first output. `None` if the record cannot be read.
    ///
    /// Contract: as [`Invite::new`]. An answer that crosses the CANCEL gets its ACK and BYE.
    pub fn left_over(
        record: &str,
        trunk: Arc<Trunk>,
        local_addr: LocalAddr,
        seed: Seed,
        now: Instant,
    ) -> Option<Self> {
        let message = Message::parse(record.as_bytes()).ok()?;
        let invite_content = InviteContent {
            call_id: message.call_id.clone(),
            local_tag: message.from.tag.clone()?,
            cseq: message.cseq,
            uri: String::new(),
            session_s: USUAL_S,
            supported: vec![],
            authorization: vec![],
        };
        let (invites, forks, phase) = taken_up(&message, record, local_addr.transport, now);
        let mut call = Self::in_phase(plan(trunk, local_addr), seed, invite_content, phase);
        (call.invites, call.forks) = (invites, forks);
        call.handle(Input::HangUp, now);
        Some(call)
    }
}

/// The INVITE that waits for its answer, or the dialog, of a record.
fn taken_up(
    message: &Message,
    record: &str,
    transport: Transport,
    now: Instant,
) -> (Vec<ClientTransaction>, Vec<Fork>, Phase) {
    if let Start::Response { .. } = message.start {
        return (vec![], vec![Fork::of(Dialog::recalled(message))], Phase::Confirmed);
    }
    let (branch, bytes) = (message.branch().to_owned(), record.as_bytes().to_vec());
    let mut invite = ClientTransaction::new(Method::Invite, branch, bytes, transport, now);
    // It was sent long ago.
    invite.poll();
    invite.stop_sending();
    (vec![invite], vec![], Phase::Proceeding { until: now + PATIENCE, alerted: true, rang: true })
}

/// There is no offer, as nothing is talked about any more.
fn plan(trunk: Arc<Trunk>, local_addr: LocalAddr) -> InvitePlan {
    let (patience, offer) = (T1 * 16, String::new());
    let (setup, ring) = (PATIENCE, PATIENCE);
    InvitePlan { trunk, number: None, local_addr, offer, patience, setup, ring }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::now;
    use crate::media::codec::Codec;
    use crate::sip::offer_answer::offer;
    use crate::sip::trunk::Dtmf;

    #[test]
    fn a_call_of_a_run_that_was_killed_is_ended_by_the_next_one() {
        // What the trunk says before the kill, what to the next run, and what that run sends.
        let cases = [
            ("tries", "100", "200:CANCEL 487:INVITE", "CANCEL ACK"),
            ("rings", "100 180", "200:CANCEL 487:INVITE", "CANCEL ACK"),
            ("rings, and was answered meanwhile", "180", "200:INVITE 200:BYE", "CANCEL ACK BYE"),
            ("has forgotten the call", "180", "481:CANCEL", "CANCEL"),
            ("was answered", "180 200", "200:BYE", "BYE"),
            ("wants a password for the end", "200", "407:BYE 200:BYE", "BYE BYE+auth"),
            ("has forgotten the answered call", "200", "481:BYE", "BYE"),
            ("asked for a password before", "407 180", "487:INVITE", "CANCEL ACK"),
        ];
        for (trunk, before, after, expected) in cases {
            let (record, invite) = killed_after(before);
            let record =
                record.unwrap_or_else(|| panic!("nothing is known of a call that {trunk}"));
            assert!(!record.contains("uthorization"), "{record}");
            let next = local_addr("192.0.2.2:6060");
            let trunk_of = Arc::new(Trunk::example());
            let time = now();
            let mut call =
                Invite::left_over(&record, trunk_of, next, Seed::fixed(2), time).unwrap();
            let mut sent = vec![];
            let mut said = vec![];
            take(&mut call, &mut sent, &mut said);
            for word in after.split(' ') {
                let (status, method) = word.split_once(':').unwrap();
                let of = match method {
                    "INVITE" => invite.clone(),
                    _ => sent
                        .iter()
                        .rev()
                        .find(|it: &&Message| it.method == method.into())
                        .cloned()
                        .unwrap(),
                };
                call.handle(Input::Received(&answer(&of, status)), time);
                take(&mut call, &mut sent, &mut said);
            }
            assert_eq!(said.join(" "), expected, "a trunk that {trunk}");
            let cancel = sent.iter().find(|it| it.method == Method::Cancel);
            if let Some(cancel) = cancel {
                assert_eq!((cancel.branch(), cancel.cseq), (invite.branch(), invite.cseq));
            }
            for bye in sent.iter().filter(|it| it.method == Method::Bye) {
                assert!(bye.cseq > invite.cseq);
                assert_eq!(bye.to.tag.as_deref(), Some("theirs"));
                assert_eq!(bye.request_uri(), "sip:bob@192.0.2.7:5062");
                assert_eq!(bye.items("Route").collect::<Vec<_>>(), ["<sip:192.0.2.1;lr>"]);
            }
            for passed in [10, 60] {
                call.handle(Input::Tick, time + Duration::from_secs(passed));
            }
            assert!(call.is_settled(), "a trunk that {trunk}");
        }
    }

    #[test]
    fn what_cannot_be_read_ends_nothing() {
        let trunk = Arc::new(Trunk::example());
        for record in ["", "SIP/2.0 200 OK\r\n\r\n", "\u{0}\u{1}"] {
            let next = local_addr("192.0.2.2:6060");
            assert!(
                Invite::left_over(record, trunk.clone(), next, Seed::fixed(2), now()).is_none()
            );
        }
    }

    /// The last record of a call to which the trunk has said so much, and its last INVITE.
    fn killed_after(said: &str) -> (Option<String>, Message) {
        let time = now();
        let plan = InvitePlan {
            trunk: Arc::new(Trunk::example()),
            number: "+81312345678".parse().ok(),
            local_addr: local_addr("192.0.2.2:5060"),
            offer: offer("192.0.2.2:20000".parse().unwrap(), &[Codec::Pcmu], Dtmf::Auto, 7),
            patience: Duration::from_secs(8),
            setup: Duration::from_secs(30),
            ring: Duration::from_secs(30),
        };
        let mut call = Invite::new(plan, Seed::fixed(1), time);
        let (mut record, mut invite) = (None, None);
        let mut words = said.split(' ');
        loop {
            while let Some(output) = call.poll() {
                match output {
                    Output::Dialog(dialog) => record = Some(dialog),
                    Output::Send(bytes) => {
                        let sent = Message::parse(&bytes).unwrap();
                        invite = Some(sent).filter(|it| it.method == Method::Invite).or(invite);
                    }
                    _ => {}
                }
            }
            let Some(status) = words.next() else { return (record, invite.unwrap()) };
            let response = answer(invite.as_ref().unwrap(), status);
            call.handle(Input::Received(&response), time);
        }
    }

    fn answer(request: &Message, status: &str) -> Vec<u8> {
        let mut builder = request.respond(status.parse().unwrap(), "theirs");
        if status == "407" {
            builder = builder.header("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
        }
        builder = builder.header("Record-Route", "<sip:192.0.2.1;lr>");
        builder.header("Contact", "<sip:bob@192.0.2.7:5062>").end()
    }

    fn take(call: &mut Invite, sent: &mut Vec<Message>, said: &mut Vec<String>) {
        while let Some(output) = call.poll() {
            let Output::Send(bytes) = output else { continue };
            let message = Message::parse(&bytes).unwrap();
            let auth = "+auth".repeat(message.all("Proxy-Authorization").count());
            said.push(format!("{}{auth}", message.method.as_str()));
            sent.push(message);
        }
    }

    fn local_addr(local: &str) -> LocalAddr {
        LocalAddr::direct(Transport::Udp, local.parse().unwrap())
    }
}
