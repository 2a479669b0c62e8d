//! A call of ours, run as the daemon runs it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use offhook::clock::now;
use offhook::media::Negotiated;
use offhook::media::codec::Codec;
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::{offer, protect};
use offhook::sip::transport::{self, SipSettings, UserAgent};
use offhook::sip::trunk::{Credentials, Dtmf, Trunk};

/// A call of ours through a trunk on loopback.
pub(crate) struct Call {
    pub(crate) trunk: Trunk,
    pub(crate) settings: SipSettings,
    ring: Duration,
    hang_up_when: &'static str,
    hang_up_after: Option<Duration>,
    stop_at_over: bool,
    pub(crate) told: Vec<String>,
    pub(crate) sdp: String,
    pub(crate) offer: String,
    /// What the telephone network said of the end.
    pub(crate) cause: Option<u8>,
    /// What each new offer of the far end has led to.
    pub(crate) changes: Vec<Negotiated>,
    offered: Vec<Codec>,
    /// Nobody owes anybody an answer any more.
    pub(crate) settled: bool,
}

impl Call {
    pub(crate) fn to(port: u16) -> Self {
        let trunk = Trunk {
            name: "test".to_owned(),
            ..Trunk::plain(
                format!("sip:127.0.0.1:{port}").parse().unwrap(),
                "sip:offhook@127.0.0.1",
            )
        };
        Self {
            trunk,
            settings: SipSettings::listening("127.0.0.1:0".parse().unwrap()),
            ring: Duration::from_secs(20),
            hang_up_when: "",
            hang_up_after: None,
            stop_at_over: false,
            told: vec![],
            sdp: String::new(),
            offer: String::new(),
            cause: None,
            changes: vec![],
            offered: CODECS.to_vec(),
            settled: false,
        }
    }

    /// To this proxy, from an address of its family.
    pub(crate) fn by(proxy: &str) -> Self {
        let mut call = Self::to(5060);
        call.trunk.proxy = proxy.parse().unwrap();
        if proxy.contains('[') {
            call.settings.listen = "[::1]:0".parse().unwrap();
        }
        call
    }

    pub(crate) fn trusting(mut self, authority: &Path) -> Self {
        self.settings.tls_ca = Some(authority.to_owned());
        self
    }

    /// Our end of the trunk.
    pub(crate) async fn agent(&self) -> UserAgent {
        let trunks = vec![Arc::new(self.trunk.clone())];
        UserAgent::bind(self.settings.clone(), trunks, Seed::fresh()).await.unwrap()
    }

    pub(crate) fn with_password(mut self, password: &str) -> Self {
        let (username, password) = ("offhook".to_owned(), password.into());
        self.trunk.credentials = Some(Credentials { username, password });
        self
    }

    pub(crate) fn offering(mut self, codecs: &[Codec]) -> Self {
        self.offered = codecs.to_vec();
        self
    }

    pub(crate) fn ringing_for(mut self, ring: Duration) -> Self {
        self.ring = ring;
        self
    }

    /// Hangs up as soon as this is told.
    pub(crate) fn hanging_up_when(mut self, told: &'static str) -> Self {
        self.hang_up_when = told;
        self
    }

    /// Hangs up some time after the answer.
    pub(crate) fn hanging_up_after(mut self, time: Duration) -> Self {
        self.hang_up_after = Some(time);
        self
    }

    /// Runs until the call is over, even if an answer may still come.
    pub(crate) async fn run_until_over(mut self) -> Self {
        self.stop_at_over = true;
        self.run().await
    }

    /// Runs until the call is over and nobody owes us an answer.
    pub(crate) async fn run(self) -> Self {
        let agent = self.agent().await;
        let path = agent.reach("test").await.unwrap();
        self.run_on(&agent, path).await
    }

    /// Runs by this path until the call is over, even if an answer may still come.
    pub(crate) async fn run_on_until_over(
        mut self,
        agent: &UserAgent,
        path: transport::Route,
    ) -> Self {
        self.stop_at_over = true;
        self.run_on(agent, path).await
    }

    /// Runs by this path until the call is over and nobody owes us an answer.
    pub(crate) async fn run_on(mut self, agent: &UserAgent, path: transport::Route) -> Self {
        let trunk = Arc::new(self.trunk.clone());
        let rtp = SocketAddr::new(self.settings.listen.ip(), 41000);
        let offer = offer(rtp, &self.offered, Dtmf::Auto, 1);
        self.offer = protect(offer, self.trunk.srtp, &mut Seed::fresh());
        let plan = InvitePlan {
            trunk,
            number: "+81312345678".parse().ok(),
            local_addr: path.local_addr,
            offer: self.offer.clone(),
            patience: path.patience(),
            setup: self.ring,
            ring: self.ring,
        };
        let mut invite = Invite::new(plan, Seed::fresh(), now());
        let mut line = agent.channel(path, invite.call_id());
        let mut hang_up_at = None;
        let patience = now() + Duration::from_secs(70);
        loop {
            assert!(now() < patience, "the call does not end: {:?}", self.told);
            while let Some(output) = invite.poll() {
                let told = match output {
                    Output::Send(bytes) => {
                        line.send(&bytes).await.unwrap();
                        continue;
                    }
                    Output::Done | Output::Dialog(_) => continue,
                    Output::Ringing => "ringing".to_owned(),
                    Output::EarlyMedia(_) => "early media".to_owned(),
                    Output::Answered(sdp) => {
                        self.sdp = sdp;
                        hang_up_at = self.hang_up_after.map(|time| now() + time);
                        "answered".to_owned()
                    }
                    Output::Accepted(_) => unreachable!("the call is ours"),
                    Output::Reoffered(now) => {
                        let told = format!("reoffered sending={}", now.sending);
                        self.changes.push(now);
                        told
                    }
                    Output::Key(key) => format!("key {key}"),
                    Output::Over(ending) => format!("over {ending:?}"),
                };
                if told == self.hang_up_when {
                    invite.handle(Input::HangUp, now());
                }
                self.told.push(told);
            }
            let over = self.told.last().is_some_and(|told| told.starts_with("over"));
            if invite.is_settled() || over && self.stop_at_over {
                self.cause = invite.cause();
                self.settled = invite.is_settled();
                tokio::spawn(line.see_out(invite));
                // Copies of the last message of the phone still want their answer.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return self;
            }
            let deadline = invite.deadline().unwrap_or(patience);
            tokio::select! {
                Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
                () = tokio::time::sleep_until(deadline.into()) => invite.handle(Input::Tick, now()),
                () = tokio::time::sleep_until(hang_up_at.unwrap_or(deadline).into()), if hang_up_at.is_some() => {
                    hang_up_at = None;
                    invite.handle(Input::HangUp, now());
                }
            }
        }
    }
}

pub(crate) const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];
