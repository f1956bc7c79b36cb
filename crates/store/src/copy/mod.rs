//! Copies one database to another: a file to a server, or back.
//!
//! The source is read at one moment, and does not change meanwhile. Each table is copied in the order of its primary key,
//! page by page, so that a later run continues where an earlier one ended. In the end the digests of all tables are compared,
//! and the source gets a mark ([`Relocation`]).
//!
//! Invariant: at any moment at most one of the two can be used. The target has a mark before its first row, and loses it
//! after the source has its own.

mod cells;
mod digest;
mod obstacles;
mod pages;
pub(crate) mod services;
mod side;

use jiff::Timestamp;
use tokio::join;

use self::{
    digest::{Digest, TableDigest},
    pages::Bounds,
    side::Side,
};
use crate::{
    db::{
        catalogue::Table,
        error::{Fault, StoreError},
        relocation::Relocation,
        sql::{self, Connection},
    },
    vault,
};

pub use self::side::Home;

/// The table of the mark. It is the only one that is not copied.
const MARK: &str = "relocation";

/// The state of a copy.
#[derive(Clone, Copy, Debug)]
pub struct CopyProgress<'a> {
    pub table: &'a str,
    /// Rows of the table so far.
    pub rows: u64,
    /// Rows of the table in the source.
    pub total: u64,
    pub step: CopyStep,
}

/// The work on a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStep {
    /// Rows that an earlier run copied are read again.
    Resume,
    Copy,
    /// The copied rows are compared with those of the source.
    Compare,
}

/// A finished copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// The places of source and target.
    pub from: String,
    pub to: String,
    /// The tables; none if an earlier run copied them and ended before its last step.
    pub tables: Vec<CopiedTable>,
    /// The key that the passwords are sealed with, as a row names it; `None` without passwords.
    pub key: Option<[u8; 8]>,
}

/// A table of a finished copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    pub name: String,
    pub rows: u64,
    /// Digest of all rows, equal in both databases.
    pub digest: String,
}

/// Copies the database, and marks the source as moved.
///
/// # Errors
/// A service or a pass runs on one of the two; the target has data; the target cannot hold some rows. Then nothing was
/// written. After another error the same call continues.
pub async fn copy(
    from: &Home,
    to: &Home,
    mut progress: impl FnMut(CopyProgress<'_>) + Send,
) -> Result<CopyReport, StoreError> {
    if from.place() == to.place() {
        return Err(StoreError::SameDatabase { data: from.place() });
    }
    let mut source = Side::source(from).await?;
    let mut target = Side::target(to).await?;
    let mut reading = source.begin_reading().await.map_err(source.failed("read"))?;
    let tables = if begin(&source, &mut reading, &mut target).await? == Begin::Finish {
        Vec::new()
    } else {
        let mut copied = Vec::new();
        for (from, to) in pairs(&source, &target)? {
            let mut way = Way { source: &source, reading: &mut reading, target: &mut target };
            copied.push((to.clone(), way.copy(&from, &to, &mut progress).await?));
        }
        compare(&source, &mut target, copied, &mut progress).await?
    };
    let key = vault::key_in_use(&mut reading).await.map_err(source.failed("read"))?;
    finish(&mut source, reading, &mut target).await?;
    let (from, to) = (source.place.clone(), target.place.clone());
    source.close().await?;
    target.close().await?;
    Ok(CopyReport { from, to, tables, key })
}

#[derive(PartialEq, Eq)]
enum Begin {
    Copy,
    /// An earlier run ended before its last step.
    Finish,
}

/// Checks that both databases are ready, and marks the target.
async fn begin(source: &Side, reading: &mut Connection, target: &mut Side) -> Result<Begin, StoreError> {
    let its_mark = Relocation::read(reading).await.map_err(source.failed("read"))?;
    refuse_services(source, reading).await?;
    let mut writing = target.begin().await.map_err(target.failed("written"))?;
    let mark = Relocation::read(&mut writing).await.map_err(target.failed("read"))?;
    refuse_services(target, &mut writing).await?;
    let is_ours = mark == Some(Relocation::Filling(source.place.clone()));
    match (its_mark, mark) {
        (Some(Relocation::Moved(to)), _) if is_ours && to == target.place => {
            target.commit(writing).await.map_err(target.failed("written"))?;
            return Ok(Begin::Finish);
        }
        (Some(mark), _) => return Err(mark.into_error(source.place.clone())),
        (None, Some(mark)) if !is_ours => return Err(mark.into_error(target.place.clone())),
        (None, Some(_)) => {}
        (None, None) => {
            refuse_rows(source, reading, target, &mut writing).await?;
            let mark = Relocation::Filling(source.place.clone());
            mark.write(&mut writing, Timestamp::now()).await.map_err(target.failed("written"))?;
        }
    }
    target.commit(writing).await.map_err(target.failed("written"))?;
    Ok(Begin::Copy)
}

async fn refuse_services(side: &Side, connection: &mut Connection) -> Result<(), StoreError> {
    let living = services::living(connection).await.map_err(side.failed("read"))?;
    if living.is_empty() {
        return Ok(());
    }
    Err(StoreError::ServiceRuns { data: side.place.clone(), holder: living.join(", ") })
}

/// Returns an error if the target has rows, or cannot hold some of the source.
async fn refuse_rows(
    source: &Side,
    reading: &mut Connection,
    target: &Side,
    writing: &mut Connection,
) -> Result<(), StoreError> {
    for table in target.tables.iter().filter(|table| table.name != MARK) {
        if !pages::is_empty(writing, table).await.map_err(target.failed("read"))? {
            return Err(StoreError::NotEmpty { data: target.place.clone(), table: table.name.clone() });
        }
    }
    let tables: Vec<Table> = pairs(source, target)?.into_iter().map(|(from, _)| from).collect();
    let rows = match (source.is_server(), target.is_server()) {
        (false, true) => obstacles::of_file(reading, writing, &tables).await,
        (true, false) => obstacles::of_server(reading).await,
        _ => Ok(Vec::new()),
    };
    let rows = rows.map_err(source.failed("read"))?;
    if rows.is_empty() { Ok(()) } else { Err(StoreError::CannotHold { target: target.place.clone(), rows }) }
}

/// Returns the tables that both databases have.
///
/// What one of them has alone are its rights, which no copy needs: rows in place of the locks of a file.
fn pairs(source: &Side, target: &Side) -> Result<Vec<(Table, Table)>, StoreError> {
    let mut pairs = Vec::new();
    for from in source.tables.iter().filter(|table| table.name != MARK) {
        let Some(to) = target.tables.iter().find(|table| table.name == from.name) else { continue };
        if !to.is_like(from) {
            let words = format!("the table {} has other columns than that of {}", to.name, source.place);
            return Err(target.failed("written")(Fault::Damaged(words)));
        }
        pairs.push((from.clone(), to.clone()));
    }
    Ok(pairs)
}

/// The two ends of a copy.
struct Way<'c> {
    source: &'c Side,
    reading: &'c mut Connection,
    target: &'c mut Side,
}

impl Way<'_> {
    /// Copies a table from where an earlier run ended. Returns the digest of the source's rows.
    async fn copy(
        &mut self,
        from: &Table,
        to: &Table,
        progress: &mut (impl FnMut(CopyProgress<'_>) + Send),
    ) -> Result<Digest, StoreError> {
        let total = pages::count(self.reading, from).await.map_err(self.source.failed("read"))?;
        let mut digest = TableDigest::new(from);
        let mut report = |step, rows| progress(CopyProgress { table: &from.name, rows, total, step });
        let known = self.last_key(to).await.map_err(self.target.failed("read"))?;
        if known.is_some() {
            let mut bounds = Bounds { after: None, until: known.clone() };
            loop {
                let page = self.page(from, &bounds).await?;
                let Some(end) = pages::end(from, &page) else { break };
                digest.add(&page);
                bounds.after = Some(end);
                report(CopyStep::Resume, digest.rows);
            }
        }
        let mut bounds = Bounds { after: known, until: None };
        let mut page = self.page(from, &bounds).await?;
        while let Some(end) = pages::end(from, &page) {
            digest.add(&page);
            bounds.after = Some(end);
            let is_for_server = self.target.is_server();
            let next = pages::read(self.reading, from, &bounds, is_for_server);
            let (next, written) = join!(next, write(self.target, to, page));
            written.map_err(self.target.failed("written"))?;
            page = next.map_err(self.source.failed("read"))?;
            report(CopyStep::Copy, digest.rows);
        }
        report(CopyStep::Copy, digest.rows);
        Ok(digest.finish())
    }

    async fn page(&mut self, from: &Table, bounds: &Bounds) -> Result<Vec<cells::Cells>, StoreError> {
        let page = pages::read(self.reading, from, bounds, self.target.is_server()).await;
        page.map_err(self.source.failed("read"))
    }

    async fn last_key(&mut self, to: &Table) -> Result<Option<cells::Cells>, Fault> {
        let mut connection = self.target.begin().await?;
        let key = pages::last_key(&mut connection, to).await?;
        self.target.commit(connection).await?;
        Ok(key)
    }
}

async fn write(target: &mut Side, to: &Table, page: Vec<cells::Cells>) -> Result<(), Fault> {
    let mut connection = target.begin().await?;
    pages::write(&mut connection, to, page).await?;
    target.commit(connection).await
}

/// Compares each table of the target with the source's digest.
async fn compare(
    source: &Side,
    target: &mut Side,
    expected: Vec<(Table, Digest)>,
    progress: &mut (impl FnMut(CopyProgress<'_>) + Send),
) -> Result<Vec<CopiedTable>, StoreError> {
    let failed = target.failed("read");
    let mut connection = target.begin().await.map_err(&failed)?;
    let mut copied = Vec::new();
    for (table, expected) in expected {
        let mut digest = TableDigest::new(&table);
        let mut bounds = Bounds::default();
        loop {
            let page = pages::read(&mut connection, &table, &bounds, false).await.map_err(&failed)?;
            let Some(end) = pages::end(&table, &page) else { break };
            digest.add(&page);
            bounds.after = Some(end);
            let (rows, total, step) = (digest.rows, expected.rows, CopyStep::Compare);
            progress(CopyProgress { table: &table.name, rows, total, step });
        }
        let digest = digest.finish();
        if digest != expected {
            return Err(StoreError::Differs {
                table: table.name,
                from: source.place.clone(),
                target: target.place.clone(),
                copied: digest.to_string(),
                expected: expected.to_string(),
            });
        }
        copied.push(CopiedTable { name: table.name, rows: digest.rows, digest: digest.words() });
    }
    target.commit(connection).await.map_err(failed)?;
    Ok(copied)
}

/// Marks the source, then removes the mark of the target.
async fn finish(source: &mut Side, reading: Connection, target: &mut Side) -> Result<(), StoreError> {
    let mark = Relocation::Moved(target.place.clone());
    let marked = async {
        let (mut writing, reading) = source.begin_beside(reading).await?;
        if Relocation::read(&mut writing).await?.is_none() {
            mark.write(&mut writing, Timestamp::now()).await?;
        }
        source.commit(writing).await?;
        // Ends the locks.
        drop(reading);
        Ok(())
    };
    marked.await.map_err(source.failed("written"))?;
    let unmarked = async {
        let mut writing = target.begin().await?;
        if target.is_server() {
            continue_numbers(&mut writing).await?;
        }
        Relocation::remove(&mut writing).await?;
        target.commit(writing).await
    };
    unmarked.await.map_err(target.failed("written"))
}

/// Lets a server number new rows after the copied ones, and plan statements for the number of rows that there are.
async fn continue_numbers(connection: &mut Connection) -> Result<(), Fault> {
    let sql = "SELECT attrelid::regclass::text AS \"table\", attname::text AS \"column\" FROM pg_attribute JOIN pg_class ON attrelid = oid \
               WHERE attidentity <> '' AND relnamespace = current_schema()::regnamespace";
    for row in sql::query(sql).fetch_all(&mut *connection).await? {
        let (table, column): (String, String) = (row.try_get("table")?, row.try_get("column")?);
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT max({column}) FROM {table}))"
        );
        sql::query(sql).execute(&mut *connection).await?;
    }
    sql::query("ANALYZE").execute(connection).await?;
    Ok(())
}
