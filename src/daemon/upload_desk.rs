//! Finds the server's upload service and puts files there.

use tokio::sync::Mutex;
use tracing::debug;
use xmpp_parsers::jid::Jid;

use super::inquiries::Inquirer;
use crate::config::{Upload, VoiceReply};
use crate::recording::{Encoded, Format};
use crate::upload::{UploadError, Uploader};
use crate::xmpp::upload::{self, BadSlot, Limits, Trusted};

/// The way to the upload service of our server.
pub(super) struct UploadDesk {
    inquirer: Inquirer,
    uploader: Uploader,
    component: String,
    wanted: Upload,
    hosts: Vec<String>,
    local: bool,
    known: Mutex<Option<(Jid, Limits)>>,
}

impl UploadDesk {
    /// `local`: whether our server is this machine.
    pub(super) fn new(
        inquirer: Inquirer,
        uploader: Uploader,
        component: &str,
        voice: &VoiceReply,
        local: bool,
    ) -> Self {
        Self {
            inquirer,
            uploader,
            component: component.to_owned(),
            wanted: voice.upload.clone(),
            hosts: voice.upload_hosts.clone(),
            local,
            known: Mutex::new(None),
        }
    }

    /// Uploads a file for somebody of this domain; gives its link.
    ///
    /// Errors: [`NotUploaded`].
    pub(super) async fn put(
        &self,
        domain: &str,
        file_name: &str,
        format: Format,
        file: &Encoded,
    ) -> Result<String, NotUploaded> {
        let (service, limits) = self.service(domain).await.ok_or(NotUploaded::NoService)?;
        let octets = file.bytes.len();
        if limits.octets_max.is_some_and(|max| octets as u64 > max) {
            return Err(NotUploaded::TooLarge);
        }
        let request = upload::slot_request(file_name, octets, format.media_type());
        let Some(answer) = self.inquirer.get(&service, request).await else {
            // It may have moved.
            *self.known.lock().await = None;
            return Err(NotUploaded::NoSlot);
        };
        let trusted =
            Trusted { service: service.domain().as_str(), hosts: &self.hosts, local: self.local };
        let slot = upload::slot(&answer, &trusted)?;
        self.uploader.put(&slot, format.media_type(), file.bytes.clone()).await?;
        Ok(slot.get.into())
    }

    async fn service(&self, domain: &str) -> Option<(Jid, Limits)> {
        let mut known = self.known.lock().await;
        if known.is_none() {
            *known = match &self.wanted {
                Upload::Off => None,
                Upload::At(service) => self.limits(&Jid::new(service).ok()?).await,
                Upload::Ask => self.find(domain).await,
            };
            debug!(found = known.is_some(), "asked for an upload service");
        }
        known.clone()
    }

    /// Looks at our server, which is a level above our own name, and at the server of the people we serve.
    async fn find(&self, domain: &str) -> Option<(Jid, Limits)> {
        let above = self.component.split_once('.').map(|(_, above)| above);
        for server in above.into_iter().chain([domain]) {
            let Ok(server) = Jid::new(server) else { continue };
            let Some(answer) = self.inquirer.get(&server, upload::items_query()).await else {
                continue;
            };
            for item in upload::items(&answer) {
                if item.as_str() == self.component {
                    continue;
                }
                if let Some(found) = self.limits(&item).await {
                    return Some(found);
                }
            }
        }
        None
    }

    async fn limits(&self, service: &Jid) -> Option<(Jid, Limits)> {
        let answer = self.inquirer.get(service, upload::info_query()).await?;
        Some((service.clone(), upload::service(&answer)?))
    }
}

/// Why a file is not at the upload service.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotUploaded {
    /// There is none, or it is off.
    #[error("no upload service was found")]
    NoService,
    /// The file is larger than it takes.
    #[error("the recording is larger than the upload service takes")]
    TooLarge,
    /// It gives none to us.
    #[error(
        "the upload service gives no slot; it must let the component in (http_file_share_access, or access of mod_http_upload)"
    )]
    NoSlot,
    /// It gave one that is not used.
    #[error(transparent)]
    BadSlot(#[from] BadSlot),
    /// It did not take the file.
    #[error(transparent)]
    Upload(#[from] UploadError),
}
