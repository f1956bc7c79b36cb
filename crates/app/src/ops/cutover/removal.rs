//! The policy for the removal of a batch.

use mailhaul_migration::{Batch, CutoverPolicy, Verdict};
use mailhaul_operations::Failure;

use crate::{context::Context, cutover::report::CutoverReport, ops::shared::failures::into_failure};

/// Returns the verdict that a removal must tell; `None` if there is nothing to tell.
///
/// # Errors
/// A conflict if the policy refuses the removal, and it is not forced.
pub(crate) async fn verdict(
    context: &Context,
    batch: &Batch,
    is_forced: bool,
) -> Result<Option<String>, Failure> {
    let policy = context.store.config().get().await.map_err(into_failure)?.cutover_policy;
    if policy == CutoverPolicy::Off {
        return Ok(None);
    }
    let report = CutoverReport::load(&context.store, batch, context.now()).await.map_err(into_failure)?;
    // Nothing was copied, so nothing on the source is missing on the target.
    if report.synced == 0 || report.judgement.verdict == Verdict::SafeToRemove {
        return Ok(None);
    }
    let sentence = report.judgement.sentence;
    if policy == CutoverPolicy::Refuse && !is_forced {
        return Err(Failure::conflict(format_args!(
            "the migration batch \"{}\" is not removed. {sentence}",
            batch.name
        ))
        .with_advice(format_args!(
            "Get-MigrationCutover \"{}\" shows all conditions. -Force removes it all the same.",
            batch.name
        )));
    }
    Ok(Some(sentence))
}
