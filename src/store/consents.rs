//! What people have agreed to by sending back a code: which words, when, in which call. Kept as long as the person is known.

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::columns::ms;
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::notification::verification::VerificationId;
use crate::phone_number::PhoneNumber;

impl Store {
    /// Writes down which words the call with this code says: their version and language.
    pub async fn code_words(
        &self,
        id: VerificationId,
        words: String,
        language: String,
    ) -> Result<(), StoreError> {
        self.ask(move |transaction| {
            let sql = "UPDATE verifications SET words = ?, language = ? WHERE id = ?";
            transaction.conn.prepare_cached(sql)?.execute(params![words, language, id.0])?;
            Ok(())
        })
        .await
    }
}

impl Transaction<'_> {
    /// The code of this call has come back: the person agrees to calls at this number.
    pub(super) fn consent(
        &self,
        id: VerificationId,
        jid: &BareJid,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_people(
            "INSERT INTO consents (jid, number, verification, words, language, at, sip_call_id)
             SELECT ?, ?, id, words, language, ?, sip_call_id FROM verifications WHERE id = ?",
            params![jid.as_str(), number.as_str(), ms(now), id.0],
        )?;
        Ok(())
    }

    /// The call with a code is over. Its code may have come back while it lasted, or comes back later.
    pub(super) fn name_code_call(
        &self,
        id: VerificationId,
        sip_call_id: &str,
    ) -> Result<(), StoreError> {
        for sql in [
            "UPDATE verifications SET sip_call_id = nullif(?, '') WHERE id = ?",
            "UPDATE consents SET sip_call_id = nullif(?, '') WHERE verification = ?",
        ] {
            self.conn.prepare_cached(sql)?.execute(params![sip_call_id, id.0])?;
        }
        Ok(())
    }
}
