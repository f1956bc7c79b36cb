//! Endpoints, batches and users of the service, and the CSV file of users. No sockets, no SQL.

mod address;
mod batch;
mod cell_notes;
mod check;
mod column_names;
mod config;
mod content_filter;
mod csv;
mod csv_error;
mod csv_header;
mod csv_text;
mod cutover;
mod cutover_facts;
mod cutover_settings;
mod cutover_words;
mod deletions;
mod domains;
mod endpoint;
mod endpoint_limits;
mod failure;
mod fit;
mod folder_map;
mod gmail_labels;
mod notification;
mod notification_rules;
mod notification_texts;
mod number_or_unlimited;
mod oauth;
mod repair;
mod routing;
mod routing_state;
mod rows;
mod score;
mod status;
mod user;
mod user_order;
mod user_row;

pub use address::AddressFault;
pub use batch::{
    Batch, BatchSettings, DEFAULT_REPORT_INTERVAL, DEFAULT_SYNC_INTERVAL, MAX_NAME, MIN_SYNC_INTERVAL,
};
pub use check::{MailboxCheck, Opening};
pub use config::MigrationConfig;
pub use content_filter::{FilterError, content_filter};
pub use csv::{CsvOptions, MAX_OCTETS, MAX_ROWS, UserList, check_users, read_users};
pub use csv_error::{
    CsvError, CsvErrors, CsvPlace, CsvRule, FileFormat, HeaderHint, MAX_KEPT_ERRORS, Separator, column_list,
};
pub use cutover::{Judgement, judge, quiet_times, sync_needed_after};
pub use cutover_facts::{
    Arrivals, Condition, ConditionState, CutoverFacts, DeliveringHost, DomainFacts, JudgedCondition,
    NamedUsers, RecordRemark, RemarkKind, Verdict,
};
pub use cutover_settings::{CutoverPolicy, CutoverSettings, Waiver};
pub use deletions::Deletions;
pub use domains::{DomainTally, unaccepted_domains};
pub use endpoint::{
    Access, AdminAccess, AdminForm, DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS,
    DEFAULT_MAX_CONCURRENT_MIGRATIONS, Endpoint, EndpointSecurity, EndpointType,
};
pub use endpoint_limits::Rates;
pub use failure::{FailureClass, PassFailure};
pub use fit::{fit_users, leave_out_members};
pub use folder_map::{FolderMapError, read_folder_map};
pub use gmail_labels::GmailLabels;
pub use notification::{
    DeliveryWay, Notification, NotificationEvent, NotificationFacts, NotificationServers, SmtpSecurity,
    SmtpServer, shown_webhook,
};
pub use notification_rules::{
    GATHER_TIME, MAX_TRIES, MIN_REPORT_INTERVAL, ToldBefore, is_arrival_due, is_expiry_due, is_parking_due,
    is_report_due, is_ttl_due, status_event, verdict_event, wait_after,
};
pub use notification_texts::{BatchFigures, FailureFigures};
pub use number_or_unlimited::Limit;
pub use oauth::{Grant, OAuth};
pub use routing::{AskedServer, DomainRouting, MAX_LOOK_AGE, MxAnswer, MxHost, RoutingLook, RoutingRules};
pub use routing_state::{RoutingState, RoutingStatus};
pub use score::DataConsistencyScore;
pub use status::{
    BatchIntent, BatchStatus, IllegalEvent, StatusCounts, StatusSummary, UserEvent, UserStatus,
};
pub use user::{MigrationUser, Statistics};
pub use user_order::UserOrder;
pub use user_row::{COLUMNS, UserRow};
pub use uuid::Uuid as Guid;
