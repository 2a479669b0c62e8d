//! Voice answers: durable when they were spoken, passed on when they can be, erased when they have served.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::columns::{Columns, ms, span_ms};
use super::transaction::Transaction;
use super::{Store, StoreError, whole_ms};
use crate::clock::Moment;
use crate::notification::holding::Happened;
use crate::notification::{AttemptId, MessageId, Recording, RecordingId, VoiceAnswer, VoiceFile};

/// A voice answer that is served from here.
#[derive(Clone, PartialEq, Eq)]
pub struct Served {
    /// The file; it may be sealed.
    pub sound: Vec<u8>,
    /// Such as `audio/mpeg`.
    pub media_type: String,
    /// What it is called.
    pub file_name: String,
}

/// What becomes of the recording when its file can be downloaded, or has been transcribed.
#[derive(Clone, PartialEq, Eq)]
pub enum Sound {
    /// It has served and is erased.
    Erased,
    /// It stays as it is: a transcript is still to be made of it, or it is the file that is served from here.
    Kept,
    /// This file, which is served from here, takes its place.
    Served(Vec<u8>),
}

impl Sound {
    fn served(&self) -> Option<&[u8]> {
        match self {
            Self::Served(file) => Some(file),
            Self::Erased | Self::Kept => None,
        }
    }
}

/// Why a voice answer was not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPassedOn {
    /// It failed this time.
    Failed,
    /// Nothing is configured by which it could be.
    NoWay,
}

impl Store {
    /// Keeps what the callee said, before they have said whether it is to be sent. A crash from here on sends it.
    ///
    /// Errors: [`StoreError::NotInCall`].
    pub async fn keep_voice(
        &self,
        attempt: AttemptId,
        answer: VoiceAnswer,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.keep_voice(attempt, &answer, now))
            .await
    }

    /// What was kept under this name is the callee's answer. After `Ok` the callee may be thanked; it is passed on when it can be.
    pub async fn send_voice(&self, name: String, now: impl Into<Moment>) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.send_voice(&name, now)).await
    }

    /// What was kept under this name is not to be sent.
    pub async fn drop_voice(&self, name: String) -> Result<(), StoreError> {
        self.ask(move |transaction| transaction.drop_voice(&name)).await
    }

    /// The voice answer that is to be passed on next, if one is due.
    pub async fn next_recording(
        &self,
        now: impl Into<Moment>,
    ) -> Result<Option<Recording>, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.next_recording(now)).await
    }

    /// When [`Store::next_recording`] has something next.
    pub async fn next_recording_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ask(|transaction| transaction.next_recording_due()).await
    }

    /// Makes every recording due that waits for another try.
    pub async fn retry_recordings(&self, now: impl Into<Moment>) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.retry_recordings(now)).await
    }

    /// A voice answer could not be passed on; it is due `again` later. The sender learns once that it takes long, or
    /// that there is `no_way`.
    pub async fn recording_failed(
        &self,
        id: RecordingId,
        why: NotPassedOn,
        again: Timestamp,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| {
            transaction.recording_failed(id, why, whole_ms(again), now)
        })
        .await
    }

    /// A voice answer can be downloaded; what its sender is to read about that is owed.
    ///
    /// `sound` tells what becomes of the recording.
    pub async fn recording_sent(
        &self,
        id: RecordingId,
        file: VoiceFile,
        sound: Sound,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.recording_sent(id, &file, &sound, now))
            .await
    }

    /// What was understood of a voice answer that was sent, if anything was. `sound` tells what becomes of the recording.
    pub async fn transcribed(
        &self,
        id: RecordingId,
        text: Option<String>,
        sound: Sound,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| {
            transaction.transcribed(id, text.as_deref(), &sound, now)
        })
        .await
    }

    /// The file with this unguessable name, while it is served from here.
    pub async fn served(&self, name: String) -> Result<Option<Served>, StoreError> {
        self.ask(move |transaction| transaction.served(&name)).await
    }
}

impl Transaction<'_> {
    /// Keeps what was recorded, before it is known whether it is to be sent.
    pub(super) fn keep_voice(
        &self,
        attempt: AttemptId,
        answer: &VoiceAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.touch(attempt, now)?;
        self.must_be_in_call(attempt, answer.message)?;
        let about = self.message(answer.message)?.draft;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO recordings (message, recipient, sender, name, taken, length_ms, cut, state, sound, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, NULL)",
        )?;
        insert.execute(params![
            answer.message.0,
            about.recipient.as_str(),
            about.sender.to_bare().as_str(),
            answer.name,
            self.ahead.counted(now),
            span_ms(answer.length),
            answer.cut,
            answer.sound,
        ])?;
        self.note(answer.message, now, "voice recorded")
    }

    /// What was kept is an answer from now on.
    pub(super) fn send_voice(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql =
            "UPDATE recordings SET due = ? WHERE name = ? AND due IS NULL RETURNING message, cut";
        let mut send = self.conn.prepare_cached(sql)?;
        let sent = send.query_row(params![self.ahead.counted(now), name], |row| {
            Ok((MessageId(row.get(0)?), row.get::<_, bool>(1)?))
        });
        let Some((message, cut)) = sent.optional()? else { return Ok(()) };
        drop(send);
        self.wake_voice = true;
        let what = if cut { "answered by voice, cut off" } else { "answered by voice" };
        self.note(message, now, what)?;
        self.happen(message, Happened::Recorded, now)
    }

    /// The callee records it again.
    pub(super) fn drop_voice(&self, name: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM recordings WHERE name = ? AND due IS NULL";
        self.conn.prepare_cached(sql)?.execute([name])?;
        Ok(())
    }

    /// A callee who spoke and was cut off by a crash of ours has answered.
    pub(super) fn recover_voices(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "SELECT name FROM recordings WHERE state = 'waiting' AND due IS NULL";
        let mut find = self.conn.prepare_cached(sql)?;
        let names: Vec<String> = find.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(find);
        names.iter().try_for_each(|name| self.send_voice(name, now))
    }

    /// The voice answer that has waited longest, of those that are due.
    pub(super) fn next_recording(&self, now: Timestamp) -> Result<Option<Recording>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT * FROM recordings WHERE state = 'waiting' AND due <= ? AND message IS NOT NULL
                 AND sound IS NOT NULL ORDER BY due, id LIMIT 1",
        )?;
        let found = find.query_row([self.ahead.counted(now)], |row| {
            let answer = VoiceAnswer {
                message: MessageId(row.get("message")?),
                name: row.get("name")?,
                sound: row.get("sound")?,
                length: row.maybe_span("length_ms")?.unwrap_or_default(),
                cut: row.get("cut")?,
            };
            Ok((
                RecordingId(row.get("id")?),
                answer,
                self.ahead.wall(row.time("taken")?),
                row.get("tries")?,
            ))
        });
        let Some((id, answer, taken, tries)) = found.optional()? else { return Ok(None) };
        let about = self.message(answer.message)?;
        Ok(Some(Recording { id, answer, about, taken, tries }))
    }

    /// Makes every recording due that waits for another try.
    pub(super) fn retry_recordings(&self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE recordings SET due = ?1 WHERE state = 'waiting' AND due > ?1";
        self.conn.prepare_cached(sql)?.execute([self.ahead.counted(now)])?;
        Ok(())
    }

    /// When [`Transaction::next_recording`] has something next.
    pub(super) fn next_recording_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT min(due) FROM recordings WHERE state = 'waiting' AND sound IS NOT NULL";
        let at: Option<i64> = self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()).map(|at| self.ahead.wall(at)))
    }

    /// It could not be passed on. The sender learns once that it takes long, or that there is no way.
    pub(super) fn recording_failed(
        &mut self,
        id: RecordingId,
        why: NotPassedOn,
        again: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql =
            "UPDATE recordings SET tries = tries + 1, due = ? WHERE id = ? AND state = 'waiting'
                   RETURNING taken, told";
        let mut update = self.conn.prepare_cached(sql)?;
        let found = update.query_row(params![self.ahead.counted(again), id.0], |row| {
            Ok((self.ahead.wall(row.time("taken")?), row.get::<_, Option<String>>("told")?))
        });
        let Some((taken, told)) = found.optional()? else { return Ok(()) };
        drop(update);
        let waited = Duration::try_from(now.duration_since(taken)).unwrap_or_default();
        let news = match (why, told.as_deref()) {
            (NotPassedOn::NoWay, Some("no_way")) | (NotPassedOn::Failed, Some(_)) => return Ok(()),
            (NotPassedOn::NoWay, _) => "no_way",
            (NotPassedOn::Failed, None) if waited >= LATE_AFTER => "late",
            (NotPassedOn::Failed, None) => return Ok(()),
        };
        let sql = "UPDATE recordings SET told = ? WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute(params![news, id.0])?;
        self.owe_voice(id, news, now).map(drop)
    }

    /// It is a file that can be downloaded: both stanzas about it are owed.
    pub(super) fn recording_sent(
        &mut self,
        id: RecordingId,
        file: &VoiceFile,
        sound: &Sound,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = self.conn.prepare_cached(
            "UPDATE recordings SET state = 'sent', url = ?2, file_name = ?3, media_type = ?4, octets = ?5,
                 length_ms = ?6, sound = iif(?8, sound, ?7)
             WHERE id = ?1 AND state = 'waiting'",
        )?;
        let changed = update.execute(params![
            id.0,
            file.url,
            file.file_name,
            file.media_type,
            file.octets as i64,
            span_ms(file.length),
            sound.served(),
            *sound == Sound::Kept,
        ])?;
        drop(update);
        if changed == 0 {
            return Ok(());
        }
        self.wipes = true;
        // What it is stands above it.
        let note = self.owe_voice(id, "note", now)?;
        self.owe_voice(id, "file", now)?;
        let sql = "UPDATE recordings SET note_stanza_id = ? WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute(params![note, id.0])?;
        Ok(())
    }

    /// What was understood of it.
    pub(super) fn transcribed(
        &mut self,
        id: RecordingId,
        text: Option<&str>,
        sound: &Sound,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE recordings SET transcript = coalesce(transcript, ?2), sound = iif(?3, sound, ?4)
                   WHERE id = ?1 AND state = 'sent'";
        let values = params![id.0, text, *sound == Sound::Kept, sound.served()];
        self.conn.prepare_cached(sql)?.execute(values)?;
        self.wipes = true;
        if text.is_some() { self.owe_voice(id, "transcript", now).map(drop) } else { Ok(()) }
    }

    pub(super) fn served(&self, name: &str) -> Result<Option<Served>, StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT sound, media_type, file_name FROM recordings
             WHERE name = ? AND state = 'sent' AND sound IS NOT NULL AND media_type IS NOT NULL",
        )?;
        let found = find.query_row([name], |row| {
            Ok(Served { sound: row.get(0)?, media_type: row.get(1)?, file_name: row.get(2)? })
        });
        Ok(found.optional()?)
    }

    /// Erases the sound of what was recorded before this, whatever has become of it. Tells of how many; while that is not 0
    /// there may be more.
    pub(super) fn forget_recordings(&self, before: i64) -> Result<usize, StoreError> {
        let sql = "UPDATE recordings SET sound = NULL, transcript = NULL, url = NULL WHERE id IN (
                       SELECT id FROM recordings WHERE sound IS NOT NULL AND taken <= ? LIMIT ?)";
        let silenced = self.conn.prepare_cached(sql)?.execute([before, SILENCED_AT_ONCE_MAX])?;
        let sql = "DELETE FROM recordings WHERE sound IS NULL AND taken <= ? AND NOT EXISTS (
                       SELECT 1 FROM replies WHERE recording = recordings.id AND settled IS NULL)";
        self.conn.prepare_cached(sql)?.execute([before])?;
        Ok(silenced)
    }

    fn owe_voice(
        &mut self,
        id: RecordingId,
        news: &str,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let sql = "SELECT message FROM recordings WHERE id = ?";
        let message: Option<i64> =
            self.conn.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?;
        let stanza_id = self.seed.token();
        let Some(message) = message else { return Ok(stanza_id) };
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO replies (message, stanza_id, content, recording, news, owed)
             VALUES (?, ?, 'voice', ?, ?, ?)",
        )?;
        insert.execute(params![message, stanza_id, id.0, news, ms(now)])?;
        drop(insert);
        self.overtake(MessageId(message), now)?;
        self.wake_outbox = true;
        self.note(MessageId(message), now, &format!("owed: voice, {news}"))?;
        Ok(stanza_id)
    }
}

/// Each may be a megabyte that is overwritten.
const SILENCED_AT_ONCE_MAX: i64 = 20;
/// From then on the sender would wonder.
const LATE_AFTER: Duration = Duration::from_secs(60);
