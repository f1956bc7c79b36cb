//! Times as operations show them.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// Time in the batch's zone (RFC 3339).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    at: Timestamp,
    zone: TimeZone,
}

impl Moment {
    pub(crate) fn in_zone(at: Timestamp, zone: &TimeZone) -> Self {
        Self { at, zone: zone.clone() }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.zone == TimeZone::UTC {
            return serializer.collect_str(&self.at);
        }
        let zoned = self.at.to_zoned(self.zone.clone());
        serializer.collect_str(&zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z"))
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_keeps_its_zone() {
        let at: Timestamp = "2026-07-01T06:00:00.25Z".parse().unwrap();
        let shown = |zone| serde_json::to_value(Moment::in_zone(at, &zone)).unwrap();
        assert_eq!(shown(TimeZone::UTC), "2026-07-01T06:00:00.25Z");
        assert_eq!(shown(TimeZone::get("Europe/Berlin").unwrap()), "2026-07-01T08:00:00.25+02:00");
    }
}
