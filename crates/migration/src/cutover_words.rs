//! Sentences about a cut-over. Pure.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    cutover_facts::{Arrivals, CutoverFacts, DomainFacts, NamedUsers},
    routing_state::RoutingStatus,
};

/// Distance from now up to which a weekday names a day.
const WEEK: SignedDuration = SignedDuration::from_hours(6 * 24);

/// Words of one judgement: its times are in the zone of the batch.
pub(crate) struct Words<'f> {
    now: Timestamp,
    zone: &'f TimeZone,
}

impl<'f> Words<'f> {
    pub(crate) fn new(facts: &'f CutoverFacts) -> Self {
        Self { now: facts.now, zone: &facts.zone }
    }

    /// Writes a time: `Friday at 18:02`, with the date if it is far away.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        let form =
            if self.now.duration_since(at).abs() < WEEK { "%A at %H:%M" } else { "%A, %Y-%m-%d, at %H:%M" };
        zoned.strftime(form).to_string()
    }

    /// Says why a domain has not moved.
    pub(crate) fn domain(&self, domain: &DomainFacts) -> String {
        let (name, state) = (&domain.domain, &domain.state);
        let moved = state.changed.map(|(_, new)| format!("its MX moved on {}", self.time(new)));
        let reason = state.reason.as_deref();
        match (state.status, reason) {
            (RoutingStatus::Settling, None) => {
                let until = state.settled_at.map_or_else(|| "later".to_owned(), |at| self.time(at));
                let moved = moved.unwrap_or_else(|| "its MX moved".to_owned());
                format!("{name}: {moved}; caches may tell the old until {until}")
            }
            (RoutingStatus::Settling, Some(reason)) => format!("{name}: its MX moved, but {reason}"),
            (RoutingStatus::NotMoved, _) => format!("{name}: its MX has not moved"),
            (RoutingStatus::Moving, reason) => {
                format!("{name}: its MX is moving; {}", reason.unwrap_or("some servers tell the old"))
            }
            (RoutingStatus::Backup, reason) => {
                format!("{name}: {}", reason.unwrap_or("an old host is still listed beside the new one"))
            }
            (RoutingStatus::Returned, _) => format!("{name}: its MX has moved back"),
            (RoutingStatus::Unknown, reason) => {
                format!(
                    "{name}: it is not known where its mail goes; {}",
                    reason.unwrap_or("no server answers")
                )
            }
            (RoutingStatus::Moved, _) => self.moved(std::slice::from_ref(domain)),
        }
    }

    /// Says since when the domains have moved.
    pub(crate) fn moved(&self, domains: &[DomainFacts]) -> String {
        let settled = domains.iter().filter_map(|domain| domain.state.settled_at).max();
        let since = settled.map(|at| format!(" since {}", self.time(at))).unwrap_or_default();
        match domains {
            [only] => format!("the mail of {} goes to the target{since}", only.domain),
            domains => format!("the mail of all {} domains goes to the target{since}", domains.len()),
        }
    }

    /// Says what arrived on the source in the quiet period.
    pub(crate) fn arrivals(arrivals: &Arrivals, period: SignedDuration) -> String {
        let mut from: Vec<String> =
            arrivals.hosts.iter().map(|host| format!("{} from {host}", host.messages)).collect();
        if arrivals.internal > 0 {
            from.push(format!("{} from its own host (web form?)", arrivals.internal));
        }
        let from = if from.is_empty() { String::new() } else { format!(": {}", from.join(", ")) };
        format!(
            "{} on the source in the last {} h{from}",
            number(arrivals.recent, "message arrived", "messages arrived"),
            period.as_hours()
        )
    }

    /// Says who still writes on the source.
    pub(crate) fn writers(&self, arrivals: &Arrivals) -> String {
        let last = arrivals.last_saved.map(|at| format!(" (last: {})", self.time(at))).unwrap_or_default();
        let who = users(&arrivals.writers, "user still writes", "users still write");
        format!("{who} on the old server{last}")
    }

    /// The verdict of a batch that is safe to remove.
    pub(crate) fn safe(&self, settled: Option<Timestamp>, facts: &CutoverFacts) -> String {
        let since = settled.map(|at| format!("since {} ", self.time(at))).unwrap_or_default();
        let last = match facts.arrivals.as_ref().map(|arrivals| arrivals.last) {
            Some(Some(last)) => {
                format!(
                    ", the last message on the source arrived on {} and is on the target",
                    self.time(last)
                )
            }
            Some(None) => ", and no message has arrived on the source".to_owned(),
            None => String::new(),
        };
        format!("Safe to remove: {since}all mail goes to the target{last}.")
    }
}

/// A number with its noun.
pub(crate) fn number(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A number of users, with the names of the first.
pub(crate) fn users(users: &NamedUsers, one: &str, many: &str) -> String {
    let more = if users.count > users.first.len() as u64 { ", ..." } else { "" };
    let names =
        if users.first.is_empty() { String::new() } else { format!(" ({}{more})", users.first.join(", ")) };
    format!("{}{names}", number(users.count, one, many))
}

/// The end of a sentence that names one of several conditions.
pub(crate) fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "; 1 more condition is not met or not known".to_owned(),
        count => format!("; {count} more conditions are not met or not known"),
    }
}

/// The end of a sentence that names one of several domains.
pub(crate) fn more_domains(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "; 1 more domain".to_owned(),
        count => format!("; {count} more domains"),
    }
}
