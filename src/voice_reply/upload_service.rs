//! Finds the server's upload service (XEP-0363) and uploads files to it.

use tokio::sync::Mutex;
use tracing::debug;
use xmpp_parsers::jid::Jid;

use crate::config::{Upload, VoiceReply};
use crate::voice_reply::file::Encoded;
use crate::voice_reply::http_put::{UploadError, Uploader};
use crate::xmpp::link::iq::{IqClient, NoResult};
use crate::xmpp::upload::{self, BadSlot, Slot, Trusted, UploadLimits};

/// The upload service of our server.
pub(crate) struct UploadService {
    iq_client: IqClient,
    uploader: Uploader,
    component: String,
    local: bool,
    known: Mutex<Option<KnownService>>,
}

/// The service that was found last.
struct KnownService {
    /// The setting that it was found by.
    configured: Upload,
    address: Jid,
    limits: UploadLimits,
}

impl UploadService {
    /// `local`: whether our server is this machine.
    pub(crate) fn new(
        iq_client: IqClient,
        uploader: Uploader,
        component: &str,
        local: bool,
    ) -> Self {
        Self {
            iq_client,
            uploader,
            component: component.to_owned(),
            local,
            known: Mutex::new(None),
        }
    }

    /// Uploads a file for a recipient of this domain; gives its link.
    ///
    /// Errors: [`NotUploaded`].
    pub(crate) async fn put(
        &self,
        domain: &str,
        file_name: &str,
        settings: &VoiceReply,
        file: &Encoded,
    ) -> Result<String, NotUploaded> {
        let slot = self.slot(domain, file_name, settings, file.bytes.len()).await?.1;
        self.uploader.put(&slot, settings.format.media_type(), file.bytes.clone()).await?;
        Ok(slot.get.into())
    }

    /// Has the service reserve a place for a small file, and leaves it empty; gives the service's name.
    ///
    /// Errors: what would keep [`UploadService::put`] from having a place.
    pub(crate) async fn probe(
        &self,
        domain: &str,
        settings: &VoiceReply,
    ) -> Result<String, NotUploaded> {
        let file_name = format!("voice.{}", settings.format.extension());
        let (service, _) = self.slot(domain, &file_name, settings, 1).await?;
        Ok(service.domain().to_string())
    }

    async fn slot(
        &self,
        domain: &str,
        file_name: &str,
        settings: &VoiceReply,
        octets: usize,
    ) -> Result<(Jid, Slot), NotUploaded> {
        let (service, limits) = self.service(domain, &settings.upload).await?;
        if limits.octets_max.is_some_and(|max| octets as u64 > max) {
            return Err(NotUploaded::TooLarge);
        }
        let request = upload::slot_request(file_name, octets, settings.format.media_type());
        let answer = match self.iq_client.get(&service, request).await {
            Ok(answer) => answer,
            Err(error) => {
                // The service may have moved.
                *self.known.lock().await = None;
                return Err(match error {
                    NoResult::Refused => NotUploaded::NoSlot,
                    NoResult::NoAnswer => NotUploaded::NoAnswer,
                });
            }
        };
        let hosts = &settings.upload_hosts;
        let trusted = Trusted { service: service.domain().as_str(), hosts, local: self.local };
        let slot = upload::slot(&answer, &trusted)?;
        Ok((service, slot))
    }

    async fn service(
        &self,
        domain: &str,
        configured: &Upload,
    ) -> Result<(Jid, UploadLimits), NotUploaded> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.configured == *configured) {
            return Ok((known.address.clone(), known.limits));
        }
        *known = None;
        let found = match configured {
            Upload::Off => Err(NotUploaded::NoService),
            Upload::At(service) => match self.ask(service, &mut Ways::default()).await {
                Ok(found) => found.ok_or(NotUploaded::NoService),
                Err(NoResult::Refused) => Err(NotUploaded::NoService),
                Err(NoResult::NoAnswer) => Err(NotUploaded::NoAnswer),
            },
            Upload::Ask => self.find(domain).await,
        };
        debug!(found = found.is_ok(), "upload service looked for");
        let (address, limits) = found?;
        let configured = configured.clone();
        *known = Some(KnownService { configured, address: address.clone(), limits });
        Ok((address, limits))
    }

    /// Asks our server, whose name is ours without its first label, and the server of the recipient. Of one that does not
    /// answer, the service is asked that ejabberd would have.
    async fn find(&self, domain: &str) -> Result<(Jid, UploadLimits), NotUploaded> {
        let parent = self.component.split_once('.').map(|(_, parent)| parent);
        let servers = parent.into_iter().chain(Some(domain).filter(|it| Some(*it) != parent));
        let mut ways = Ways::default();
        let mut error = NotUploaded::NoService;
        for name in servers {
            let Ok(server) = Jid::new(name) else { continue };
            let services = match self.iq_client.get(&server, upload::items_query()).await {
                Ok(answer) => upload::items(&answer).iter().map(Jid::to_string).collect(),
                Err(NoResult::Refused) => vec![],
                Err(NoResult::NoAnswer) => {
                    error = NotUploaded::NoAnswer;
                    ways.domains_are_silent = true;
                    vec![format!("upload.{name}")]
                }
            };
            for service in services.iter().filter(|it| **it != self.component) {
                match self.ask(service, &mut ways).await {
                    Ok(Some(found)) => return Ok(found),
                    Ok(None) | Err(NoResult::Refused) => {}
                    Err(NoResult::NoAnswer) => error = NotUploaded::NoAnswer,
                }
            }
        }
        Err(error)
    }

    /// Asks a service at its domain or at a resource; `None` if it is something else.
    async fn ask(
        &self,
        service: &str,
        ways: &mut Ways,
    ) -> Result<Option<(Jid, UploadLimits)>, NoResult> {
        let resource = resource_at(service);
        if ways.domains_are_silent {
            return match self.limits(&resource).await {
                // It is not of the kind that answers only there.
                Err(NoResult::Refused) => self.limits(service).await,
                told => told,
            };
        }
        match self.limits(service).await {
            Err(NoResult::NoAnswer) => {
                ways.domains_are_silent = true;
                self.limits(&resource).await
            }
            told => told,
        }
    }

    async fn limits(&self, service: &str) -> Result<Option<(Jid, UploadLimits)>, NoResult> {
        let Ok(service) = Jid::new(service) else { return Ok(None) };
        let answer = self.iq_client.get(&service, upload::info_query()).await?;
        Ok(upload::service(&answer).map(|limits| (service, limits)))
    }
}

/// What is known of a server while it is asked for a service.
#[derive(Default)]
struct Ways {
    /// A request to a domain was not answered: others would take as long.
    domains_are_silent: bool,
}

/// An address of a service at which ejabberd takes requests that it drops at the domain: from 24.10 on, with
/// mod_privilege, all of a component.
fn resource_at(service: &str) -> String {
    format!("{service}/slots")
}

/// Why a file was not uploaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotUploaded {
    /// There is no upload service, or it is off.
    #[error("no upload service was found")]
    NoService,
    /// A request was not answered.
    #[error(
        "a request about the upload service was not answered, as by ejabberd from 24.10 on with mod_privilege; name the service in voice_reply.upload, or use [http]"
    )]
    NoAnswer,
    /// The file is larger than the service takes.
    #[error("the recording is larger than the upload service takes")]
    TooLarge,
    /// The service gives no slot.
    #[error(
        "the upload service gives no slot; it must let the component in (http_file_share_access, or access of mod_http_upload)"
    )]
    NoSlot,
    /// The slot is not safe to use.
    #[error(transparent)]
    BadSlot(#[from] BadSlot),
    /// The upload failed.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use minidom::Element;

    use super::*;
    use crate::seed::Seed;
    use crate::voice_reply::file::Format;
    use crate::voice_reply::http_put::UploadTimeouts;
    use crate::xmpp::link::iq::iq_tracker;

    #[tokio::test]
    async fn a_service_is_found_at_servers_that_drop_what_is_sent_to_domains() {
        let at = |service: &str| Upload::At(service.into());
        type Case = (fn(&str) -> Reaction, Upload, &'static str, &'static [&'static str]);
        let cases: [Case; 11] = [
            (|_| Answers, Upload::Ask, UPLOAD, &[SERVER, ROOMS, UPLOAD, UPLOAD]),
            (|_| Answers, at(UPLOAD), UPLOAD, &[UPLOAD, UPLOAD]),
            (only_resources, Upload::Ask, UPLOAD, &[SERVER, RESOURCE, RESOURCE]),
            (only_resources, at(UPLOAD), UPLOAD, &[UPLOAD, RESOURCE, RESOURCE]),
            (
                own_domain_or_resources,
                Upload::Ask,
                UPLOAD,
                &[SERVER, ROOMS, "rooms.example.org/slots", RESOURCE, RESOURCE],
            ),
            (
                one_is_gone,
                Upload::Ask,
                UPLOAD,
                &[SERVER, ROOMS, "rooms.example.org/slots", RESOURCE, UPLOAD, UPLOAD],
            ),
            (|_| Loses, Upload::Ask, "NoAnswer", &[SERVER, RESOURCE]),
            (|_| Loses, at(UPLOAD), "NoAnswer", &[UPLOAD, RESOURCE]),
            (|_| Refuses, Upload::Ask, "NoService", &[SERVER]),
            (|_| Refuses, at(UPLOAD), "NoService", &[UPLOAD]),
            (|_| Answers, Upload::Off, "NoService", &[]),
        ];
        for (reaction, upload, expected, asks) in cases {
            let (told, asked) = probe(reaction, upload.clone()).await;
            let told = told.unwrap_or_else(|error| format!("{error:?}"));
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            assert_eq!((told.as_str(), &asked[..]), (expected, asks), "{upload:?}");
        }
    }

    #[derive(Clone, Copy)]
    enum Reaction {
        Answers,
        Refuses,
        Loses,
    }
    use Reaction::{Answers, Loses, Refuses};

    /// ejabberd 24.10 to 24.12 with mod_privilege.
    fn only_resources(to: &str) -> Reaction {
        if to.contains('/') { Answers } else { Loses }
    }

    /// ejabberd from 25.03 on with mod_privilege.
    fn own_domain_or_resources(to: &str) -> Reaction {
        if to == SERVER { Answers } else { only_resources(to) }
    }

    /// A server that knows no resources, with something that does not answer at all.
    fn one_is_gone(to: &str) -> Reaction {
        match to {
            _ if to.starts_with(ROOMS) => Loses,
            RESOURCE => Refuses,
            _ => Answers,
        }
    }

    /// What is found at a server, and the addresses that were asked.
    async fn probe(
        reaction: impl Fn(&str) -> Reaction,
        upload: Upload,
    ) -> (Result<String, NotUploaded>, Vec<String>) {
        let (iq_client, mut iq_tracker) = iq_tracker("phone.example.org", Seed::fixed(1));
        let uploader = Uploader::new(true, None, UploadTimeouts::default());
        let service = UploadService::new(iq_client, uploader, "phone.example.org", true);
        let settings = VoiceReply {
            format: Format::Mp3,
            longest: Duration::ZERO,
            keep: Duration::ZERO,
            upload,
            upload_hosts: vec![],
            key: None,
            transcribe: vec![],
        };
        let mut asked = vec![];
        let answering = async {
            while let Some(iq) = iq_tracker.next().await {
                let to = iq.attr("to").unwrap_or_default().to_owned();
                match reaction(&to) {
                    Answers => assert!(iq_tracker.takes(&answer(&iq, "result"))),
                    Refuses => assert!(iq_tracker.takes(&answer(&iq, "error"))),
                    Loses => iq_tracker.stream_lost(),
                }
                asked.push(to);
            }
        };
        let told = tokio::select! {
            told = service.probe(SERVER, &settings) => told,
            () = answering => unreachable!("the service asks as long as it is there"),
        };
        (told, asked)
    }

    fn answer(iq: &Element, kind: &str) -> Element {
        let asked = iq.children().next().unwrap();
        let inside = match asked.ns().as_str() {
            _ if kind == "error" => "",
            "http://jabber.org/protocol/disco#items" => {
                "<query xmlns='http://jabber.org/protocol/disco#items'>\
                 <item jid='phone.example.org'/>\
                 <item jid='rooms.example.org'/><item jid='upload.example.org'/></query>"
            }
            "http://jabber.org/protocol/disco#info"
                if iq.attr("to").unwrap().starts_with(ROOMS) =>
            {
                "<query xmlns='http://jabber.org/protocol/disco#info'/>"
            }
            "http://jabber.org/protocol/disco#info" => {
                "<query xmlns='http://jabber.org/protocol/disco#info'>\
                 <feature var='urn:xmpp:http:upload:0'/></query>"
            }
            _ => {
                "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://upload.example.org/a'/>\
                 <get url='https://upload.example.org/a'/></slot>"
            }
        };
        let (id, to) = (iq.attr("id").unwrap(), iq.attr("to").unwrap());
        format!("<iq xmlns='jabber:component:accept' type='{kind}' id='{id}' from='{to}' to='phone.example.org'>{inside}</iq>")
            .parse()
            .unwrap()
    }

    const SERVER: &str = "example.org";
    const ROOMS: &str = "rooms.example.org";
    const UPLOAD: &str = "upload.example.org";
    const RESOURCE: &str = "upload.example.org/slots";
}
