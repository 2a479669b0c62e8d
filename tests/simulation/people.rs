//! What people do: write, retract, correct, come and go, and change their settings by chat.

use std::time::Duration;

use minidom::Element;
use offhook::component::Input;
use offhook::notification::Claim;
use offhook::subscriber::{SenderRule, Setting, WhenOffline};
use offhook::xmpp::commands::{CommandRequest, CommandResult, UserCommand};

use crate::events::Event;
use crate::nature::NUMBERS;
use crate::plants::Plant;
use crate::server::{command, message};
use crate::stored::RowsBefore;
use crate::world::{CALLEES, SENDERS, World};

impl World {
    /// A sender writes; gives the `id` of the message.
    pub(crate) fn writes(&mut self, sender: &str, recipient: &str) -> String {
        self.written += 1;
        let id = format!("m{}", self.written);
        self.promises.is_written(&id, sender, recipient, self.at());
        let body = format!("<body>[{id}] Hello</body>");
        self.arrives(message(sender, recipient, &id, &body));
        id
    }

    /// The same, and within some seconds it must be held, refused or passed on.
    pub(crate) fn writes_and_is_served(&mut self, sender: &str, recipient: &str) {
        if !self.stream.is_up || !self.disk.is_well() || self.stream.is_late(self.at()) {
            return;
        }
        let id = self.writes(sender, recipient);
        let known = format!("{} {id}", self.promises.disturbances());
        self.plan(SERVED_WITHIN, Event::IsServed(self.stream.number, known));
    }

    /// A program answers whatever it is told.
    pub(crate) fn answers_by_itself(&mut self, stanza: &Element) {
        let to = stanza.attr("to").unwrap_or_default().to_owned();
        let has_body = stanza.children().any(|child| child.name() == "body");
        if self.answering.as_deref() != Some(&to) || !has_body {
            return;
        }
        self.written += 1;
        self.answered_by_itself += 1;
        self.promises.is_written("program", &to, CALLEES[0], self.at());
        let body = "<body>[program] Sorry, I do not know that command.</body>";
        self.arrives(message(&to, CALLEES[0], &format!("p{}", self.written), body));
    }

    pub(crate) fn retracts(&mut self, id: &str) {
        let (sender, recipient) = self.promises.people_of(id);
        self.written += 1;
        let more = format!(
            "<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/><store xmlns='urn:xmpp:hints'/>"
        );
        let stanza = message(&sender, &recipient, &format!("r{}", self.written), &more);
        self.promises.is_retracted(id);
        self.arrives(stanza);
    }

    pub(crate) fn corrects(&mut self, id: &str) {
        let (sender, recipient) = self.promises.people_of(id);
        self.written += 1;
        let new = format!("c{}", self.written);
        let more = format!(
            "<body>[{id}] Hello, better</body><replace xmlns='urn:xmpp:message-correct:0' id='{id}'/>"
        );
        self.promises.is_corrected(id, &new);
        self.arrives(message(&sender, &recipient, &new, &more));
    }

    /// One of the messages that were written.
    pub(crate) fn some_message(&mut self) -> Option<String> {
        let number = 1 + self.below(self.written.max(1));
        Some(format!("m{number}")).filter(|id| self.promises.is_known(id))
    }

    pub(crate) fn logs_in(&mut self, account: &str) {
        let presence = self.server.log_in(account);
        self.arrives(presence);
    }

    pub(crate) fn logs_out(&mut self, account: &str) {
        let presence = self.server.log_out(account);
        self.arrives(presence);
    }

    /// Somebody who is online types a command.
    pub(crate) fn commands(&mut self, callee: &'static str) {
        if !self.server.online.contains(callee) {
            self.logs_in(callee);
        }
        let sender = SENDERS[self.below(3) as usize];
        let number = NUMBERS[self.below(4) as usize];
        let code = self.promises.heard_code(callee).filter(|_| self.below(2) == 0);
        let typed = match self.below(12) {
            _ if code.is_some() => format!("code {}", code.unwrap_or_default()),
            0 => "off".to_owned(),
            1 | 2 => "on".to_owned(),
            3 => format!("block {sender}"),
            4 => format!("allow {sender}"),
            5 | 6 => format!("phone {number}"),
            7 => "quiet 09:04-09:07".to_owned(),
            8 => "quiet default".to_owned(),
            9 => "forget me now".to_owned(),
            10 => "calls".to_owned(),
            _ => "everyone".to_owned(),
        };
        // From now on it may be otherwise.
        if typed == "on" || typed.starts_with("forget") || typed.starts_with("phone") {
            self.server.calls_may_be_on(callee);
        }
        if typed.starts_with("allow") || typed.starts_with("forget") {
            self.promises.is_allowed_again(callee);
        }
        self.types(callee, &typed);
    }

    pub(crate) fn types(&mut self, callee: &str, typed: &str) {
        self.written += 1;
        let id = format!("k{}", self.written);
        self.arrives(command(callee, &id, typed));
    }

    /// I2: what people have chosen, and have read that it holds, holds for the calls that begin later.
    pub(crate) fn check_consent(&self, claim: &Claim) {
        let callee = claim.callee.jid.as_str();
        let off_for = self.server.off_since(callee).map(|since| self.at() - since);
        assert!(
            off_for.is_none_or(|off| off < Duration::from_secs(1)),
            "I2: {callee} is phoned, and has switched calls off {off_for:?} ago"
        );
        for message in &claim.messages {
            let sender = message.draft.sender.to_bare();
            let id = message.draft.stanza_id.as_deref().unwrap_or_default();
            let blocked = self.promises.is_from_blocked(id, callee, sender.as_str());
            assert!(
                !blocked,
                "I2: {sender} is blocked and makes the phone of {callee} ring by {id}"
            );
        }
    }

    /// What a command has done, before the component is told.
    pub(crate) fn check_command(
        &mut self,
        request: &CommandRequest,
        result: &CommandResult,
        rows: RowsBefore,
    ) {
        let person = request.from.to_bare();
        match &request.command {
            UserCommand::Set(change) if result.done => {
                for setting in &change.settings {
                    self.is_set(person.as_str(), setting);
                }
            }
            UserCommand::Forget { .. } if result.done => {
                self.check_forgotten(person.as_str(), rows)
            }
            UserCommand::Code(_) if result.done => {
                let sql = "SELECT coalesce(own_number, number) FROM subscribers WHERE jid = ?";
                let number: Option<String> =
                    self.disk.tables().query_row(sql, [person.as_str()], |row| row.get(0)).unwrap();
                if let Some(number) = number {
                    self.promises.has_number(person.as_str(), &number);
                }
            }
            _ => {}
        }
    }

    fn is_set(&mut self, person: &str, setting: &Setting) {
        match setting {
            Setting::Offline(WhenOffline::Store) => self.server.calls_are_off(person, self.at()),
            Setting::Offline(WhenOffline::Phone) => self.server.calls_may_be_on(person),
            Setting::Sender(sender, SenderRule::Block) => {
                let at = self.at();
                self.promises.is_blocked(person, sender.as_str(), at);
            }
            _ => {}
        }
    }

    /// I16: after `forget me` nothing is left of what was there before.
    fn check_forgotten(&mut self, person: &str, rows: RowsBefore) {
        let tables = self.disk.tables();
        for sql in [
            "SELECT count(*) FROM messages WHERE (recipient = ?1 OR sender_bare = ?1) AND id <= ?2 AND ?3 >= 0",
            "SELECT count(*) FROM recordings WHERE (recipient = ?1 OR sender = ?1) AND message <= ?2 AND ?3 >= 0",
            "SELECT count(*) FROM subscribers WHERE jid = ?1 AND ?2 >= 0 AND ?3 >= 0 AND own_number IS NOT NULL",
            "SELECT count(*) FROM verifications WHERE jid = ?1 AND ?2 >= 0 AND id <= ?3",
        ] {
            let values = (person, rows.messages, rows.codes);
            let left: i64 = tables.query_row(sql, values, |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "I16: left of {person} after it was said to be forgotten: {sql}");
        }
        self.server.calls_may_be_on(person);
        self.promises.is_allowed_again(person);
        // The records of their calls are gone, and with them what limits count.
        self.lines.are_forgotten();
        let at = self.at();
        for written in self.promises.written.values_mut() {
            let theirs = written.sender == person || written.recipient == person;
            written.forgotten |= theirs && written.at <= at;
        }
    }

    pub(crate) fn pretends_to_forget(&self, request: &CommandRequest) -> bool {
        matches!(request.command, UserCommand::Forget { .. }) && self.has(Plant::PretendsToForget)
    }

    /// Somebody phones the component.
    pub(crate) fn phones_in(&mut self) {
        let id = offhook::component::IncomingId(self.program.next_incoming);
        self.program.next_incoming += 1;
        let number = match self.below(4) {
            0 => "+81355550000",
            at => NUMBERS[at as usize - 1],
        };
        // Who is in a call already hears that the line is busy before they can dial.
        if self.lines.is_engaged(number) {
            return;
        }
        self.lines.phones_in(id, number);
        self.tell(Input::CallIn(id));
    }
}

/// So long after it was written a message is waited for at most, when nothing goes wrong.
const SERVED_WITHIN: Duration = Duration::from_secs(6);
