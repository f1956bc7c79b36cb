//! Options of a pass from the settings of its batch.

use mailhaul_engine::{
    Filter, FolderMapping, FolderPattern, FolderRules, Order, PassOptions, Received, RemovalRules,
    RepairRules,
};
use mailhaul_migration::{BatchSettings, Deletions, content_filter};

use crate::time_zones::zone;

/// Converts the settings.
///
/// # Errors
/// If a setting is invalid. The settings were checked when the batch was created.
pub(crate) fn pass_options(settings: &BatchSettings) -> Result<PassOptions, String> {
    let patterns = |texts: &[String]| -> Result<Vec<FolderPattern>, String> {
        texts.iter().map(|it| FolderPattern::parse(it)).collect()
    };
    let received = match &settings.content_filter {
        Some(text) => content_filter(text, &zone(settings.time_zone.as_deref()).map_err(|it| it.message)?)
            .map_err(|error| error.to_string())?,
        None => Received::any(),
    };
    Ok(PassOptions {
        folders: FolderRules {
            include: patterns(&settings.include_folders)?,
            exclude: patterns(&settings.exclude_folders)?,
            map: settings
                .folder_map
                .iter()
                .map(|(from, to)| {
                    FolderMapping::parse(from, to).map_err(|error| format!("FolderMap: {error}"))
                })
                .collect::<Result<Vec<FolderMapping>, String>>()?,
        },
        filter: Filter {
            received,
            max_size: settings.max_message_size,
            max_items: settings.max_items.map(|it| usize::try_from(it).unwrap_or(usize::MAX)),
        },
        order: if settings.newest_first { Order::Newest } else { Order::Oldest },
        deletions: match settings.deletions {
            Deletions::Keep => mailhaul_engine::DeletionPolicy::Keep,
            Deletions::Mirror => mailhaul_engine::DeletionPolicy::Mirror,
        },
        removals: RemovalRules {
            percent: settings.max_deletion_percent,
            messages: settings.max_deletion_count,
            is_confirmed: false,
        },
        repairs: RepairRules { allowed: settings.repairs.clone(), ..RepairRules::default() },
        arrivals: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_sets_the_share_of_deletions() {
        let usual = pass_options(&BatchSettings::default()).unwrap();
        assert_eq!(usual.removals, RemovalRules::default());
        let settings =
            BatchSettings { max_deletion_percent: 3, max_deletion_count: 7, ..BatchSettings::default() };
        let expected = RemovalRules { percent: 3, messages: 7, is_confirmed: false };
        assert_eq!(pass_options(&settings).unwrap().removals, expected);
        // Batches of older versions do not have these settings.
        let older: BatchSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(pass_options(&older).unwrap().removals, RemovalRules::default());
    }
}
