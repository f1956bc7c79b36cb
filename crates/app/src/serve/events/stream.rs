//! One stream of server-sent events (HTML standard, section 9.2).

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::body::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use mailhaul_migration::Guid;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    feed::{Change, Feed, FeedEvent, ProgressRow, StreamPlace},
    topic::Topic,
};

/// Interval of comments, by which a page notices a dead connection.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);
/// Interval in which a stream of one user looks for new lines of the report.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Noun whose changes may end the caller's right to listen.
const TOKEN: &str = "MigrationApiToken";

/// Decides if the caller may still listen.
pub(super) trait Permission: Send + Sync + 'static {
    fn is_valid(&self) -> impl Future<Output = bool> + Send;

    /// True if the caller may read the audit log.
    fn may_see_audit(&self) -> bool;

    /// Lines of the user's report after this number, each with its number.
    fn report_after(&self, user: Guid, number: u64) -> impl Future<Output = Vec<(u64, Value)>> + Send;
}

/// Place at which a stream begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StreamBegin {
    /// Last event that the page got before.
    pub(super) last: Option<EventId>,
    /// Number of the last line of the report that the page can have.
    pub(super) last_line: u64,
}

/// State of one stream.
pub(super) struct EventStream<P> {
    feed: Feed,
    topic: Topic,
    permission: P,
    shutdown: CancellationToken,
    /// Number of the last event that was sent or left out.
    sent: u64,
    newest: watch::Receiver<u64>,
    progress: watch::Receiver<Arc<Vec<ProgressRow>>>,
    comments: Interval,
    /// User whose report the page shows, with the number of the last line that was sent.
    report: Option<(Guid, u64)>,
    report_looks: Interval,
    texts: VecDeque<String>,
    _place: StreamPlace,
}

/// Number of an event, and the service that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventId {
    epoch: Guid,
    number: u64,
}

impl EventId {
    /// Reads `Last-Event-ID`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, number) = text.rsplit_once('-')?;
        Some(Self { epoch: Guid::parse_str(epoch).ok()?, number: number.parse().ok()? })
    }
}

impl<P: Permission> EventStream<P> {
    /// Begins a stream, with the events after `last` if the page had one before.
    pub(super) fn new(
        feed: &Feed,
        place: StreamPlace,
        topic: Topic,
        permission: P,
        shutdown: CancellationToken,
        begin: StreamBegin,
    ) -> Self {
        let (newest, progress) = (feed.watch(), feed.watch_progress());
        let (comments, report_looks) = (ticks(COMMENT_INTERVAL), ticks(REPORT_INTERVAL));
        let report = match topic {
            Topic::User { guid, .. } => Some((guid, begin.last_line)),
            _ => None,
        };
        let sent = feed.newest();
        let hello = json!({ "Epoch": feed.epoch(), "Sequence": sent, "Time": Timestamp::now() });
        let (feed, texts) = (feed.clone(), VecDeque::from([event("hello", None, &hello)]));
        let mut stream = Self {
            feed,
            topic,
            permission,
            shutdown,
            sent,
            newest,
            progress,
            comments,
            report,
            report_looks,
            texts,
            _place: place,
        };
        if let Some(last) = begin.last {
            stream.resume(last);
        }
        stream
    }

    fn resume(&mut self, last: EventId) {
        let missed = if last.epoch == self.feed.epoch() { self.feed.after(last.number) } else { None };
        match missed {
            Some(events) => events.iter().for_each(|(number, it)| self.push(*number, it)),
            None => self.texts.push_back(event("gap", Some(self.id(self.sent)), &json!({}))),
        }
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.feed.epoch())
    }

    fn push(&mut self, number: u64, happening: &FeedEvent) {
        let id = Some(self.id(number));
        match happening {
            FeedEvent::Gap => self.texts.push_back(event("gap", id, &json!({}))),
            FeedEvent::Changed(change) if self.topic.has(change) => {
                self.texts.push_back(event("changed", id, &changed(change)));
            }
            FeedEvent::Audit(entry) if self.topic == Topic::All && self.permission.may_see_audit() => {
                self.texts.push_back(event("audit", id, entry));
            }
            FeedEvent::Issue(issue) if !matches!(self.topic, Topic::User { .. }) => {
                self.texts.push_back(event("issue", id, issue));
            }
            FeedEvent::Changed(_) | FeedEvent::Audit(_) | FeedEvent::Issue(_) | FeedEvent::SessionEnded => {}
        }
    }

    /// Collects new events. Returns false if the caller may no longer listen.
    async fn collect(&mut self) -> bool {
        let events = self.feed.after(self.sent);
        self.sent = self.feed.newest();
        let Some(events) = events else {
            self.texts.push_back(event("gap", Some(self.id(self.sent)), &json!({})));
            return self.permission.is_valid().await;
        };
        for (number, happening) in &events {
            self.push(*number, happening);
            self.sent = self.sent.max(*number);
        }
        let may_end = |it: &FeedEvent| match it {
            FeedEvent::Changed(change) => change.noun == TOKEN,
            FeedEvent::SessionEnded => true,
            FeedEvent::Gap | FeedEvent::Audit(_) | FeedEvent::Issue(_) => false,
        };
        !events.iter().any(|(_, it)| may_end(it)) || self.permission.is_valid().await
    }

    fn push_progress(&mut self) {
        let rows = self.progress.borrow_and_update().clone();
        let rows: Vec<&ProgressRow> = rows.iter().filter(|row| self.topic.has_row(row)).collect();
        if !rows.is_empty() {
            self.texts.push_back(event("progress", None, &progress(&rows)));
        }
    }

    /// Collects new lines of the report that the page shows.
    async fn push_lines(&mut self) {
        let Some((user, last)) = self.report else { return };
        for (number, line) in self.permission.report_after(user, last).await {
            self.texts.push_back(event("report", None, &line));
            self.report = Some((user, number));
        }
    }

    /// Returns the next text; `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(text) = self.texts.pop_front() {
                return Some(text);
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return None,
                changed = self.newest.changed() => {
                    if changed.is_err() || !self.collect().await {
                        return None;
                    }
                }
                _ = self.comments.tick() => {
                    if !self.permission.is_valid().await {
                        return None;
                    }
                    self.texts.push_back(":\n\n".to_owned());
                }
                _ = self.report_looks.tick(), if self.report.is_some() => self.push_lines().await,
                changed = self.progress.changed() => {
                    changed.ok()?;
                    self.push_progress();
                }
            }
        }
    }

    /// Returns the body of the answer.
    pub(super) fn into_body(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        stream::unfold(self, |mut begun| async move {
            let text = begun.next().await?;
            Some((Ok(Bytes::from(text)), begun))
        })
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn event(name: &str, id: Option<String>, data: &Value) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // JSON has no line break outside of its texts, and escapes those inside.
    format!("{id}event: {name}\ndata: {data}\n\n")
}

fn changed(change: &Change) -> Value {
    let Change { noun, identity, batch } = change;
    json!({ "Noun": noun, "Identity": identity, "BatchGuid": batch, "Many": identity.is_none() })
}

fn progress(rows: &[&ProgressRow]) -> Value {
    let columns = [
        "Guid",
        "BatchGuid",
        "SyncedItemCount",
        "SkippedItemCount",
        "BytesTransferred",
        "Total",
        "Rate",
        "Left",
    ];
    let rows: Vec<Value> = rows
        .iter()
        .map(|it| json!([it.user, it.batch, it.synced, it.skipped, it.bytes, it.total, it.rate, it.left]))
        .collect();
    json!({ "Columns": columns, "Rows": rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(bool);

    impl Permission for Always {
        async fn is_valid(&self) -> bool {
            self.0
        }

        fn may_see_audit(&self) -> bool {
            self.0
        }

        async fn report_after(&self, _user: Guid, number: u64) -> Vec<(u64, Value)> {
            vec![(number + 1, json!({ "Number": number + 1 }))]
        }
    }

    fn begin(feed: &Feed, may: bool, last: Option<EventId>) -> EventStream<Always> {
        let place = feed.enter().unwrap();
        let begin = StreamBegin { last, last_line: 0 };
        EventStream::new(feed, place, Topic::All, Always(may), CancellationToken::new(), begin)
    }

    fn change(noun: &str) -> FeedEvent {
        FeedEvent::Changed(Change { noun: noun.to_owned(), identity: Some("x".to_owned()), batch: None })
    }

    #[tokio::test]
    async fn a_stream_begins_with_hello_and_goes_on_where_it_was() {
        let feed = Feed::new();
        let mut first = begin(&feed, true, None);
        assert!(first.next().await.unwrap().starts_with("event: hello\ndata: {\"Epoch\":"));
        feed.add(change("MigrationBatch"));
        let text = first.next().await.unwrap();
        assert!(text.contains("event: changed\ndata: {\"Noun\":\"MigrationBatch\""), "{text}");
        let id = text.lines().next().unwrap().strip_prefix("id: ").unwrap();
        feed.add(change("MigrationUser"));
        let mut again = begin(&feed, true, EventId::parse(id));
        again.next().await.unwrap();
        assert!(again.next().await.unwrap().contains("MigrationUser"));
        let other = EventId { epoch: Guid::new_v4(), number: 1 };
        let mut other = begin(&feed, true, Some(other));
        other.next().await.unwrap();
        assert!(other.next().await.unwrap().contains("event: gap"));
    }

    #[tokio::test]
    async fn it_ends_with_the_service_and_with_the_token() {
        let feed = Feed::new();
        let mut stream = begin(&feed, false, None);
        stream.next().await.unwrap();
        feed.add(change("MigrationBatch"));
        assert!(stream.next().await.is_some());
        feed.add(change(TOKEN));
        // The event itself may still be sent.
        while stream.texts.pop_front().is_some() {}
        assert!(!stream.collect().await);
        stream.shutdown.cancel();
        stream.texts.clear();
        assert_eq!(stream.next().await, None);
    }

    #[tokio::test]
    async fn audit_entries_reach_administrators_alone() {
        let feed = Feed::new();
        let (mut admin, mut other) = (begin(&feed, true, None), begin(&feed, false, None));
        for stream in [&mut admin, &mut other] {
            stream.next().await.unwrap();
        }
        feed.add(FeedEvent::Audit(Arc::new(json!({ "Caller": "ada" }))));
        feed.add(FeedEvent::Issue(Arc::new(json!({ "Code": "UsersFailed" }))));
        assert!(admin.next().await.unwrap().contains("event: audit\ndata: {\"Caller\":\"ada\"}"));
        for stream in [&mut admin, &mut other] {
            assert!(stream.next().await.unwrap().contains("event: issue\ndata: {\"Code\":\"UsersFailed\"}"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_grows_from_the_last_known_line_on() {
        let feed = Feed::new();
        let topic = Topic::User { guid: Guid::from_u128(1), batch: Guid::from_u128(2) };
        let begin = StreamBegin { last: None, last_line: 41 };
        let place = feed.enter().unwrap();
        let mut stream = EventStream::new(&feed, place, topic, Always(true), CancellationToken::new(), begin);
        stream.next().await.unwrap();
        for number in 42..45 {
            let text = stream.next().await.unwrap();
            assert_eq!(text, format!("event: report\ndata: {{\"Number\":{number}}}\n\n"));
        }
    }
}
