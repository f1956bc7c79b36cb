//! Report 66: folders of other users, in a namespace of their own (`NethServer`).

use mailhaul_testkit::fake::when;

use crate::support::{Field, message};

/// The source of 25 messages, and three in a shared folder.
pub(crate) async fn with_a_shared_folder() -> Field {
    let mut field = Field::of_25().await;
    field.views.push("shared/ann.beebe/Team");
    field.give("shared/ann.beebe/Team", (41..=43).map(message));
    let namespaces = "* NAMESPACE ((\"\" \"/\")) NIL ((\"shared/\" \"/\"))";
    field.source.lie(when("NAMESPACE").edit(|replies| replies.put("* NAMESPACE", namespaces)));
    field
}

#[tokio::test(flavor = "multi_thread")]
async fn case_66_shared_folders_are_left_out_with_a_reason() {
    let field = with_a_shared_folder().await;
    for copied in [25, 0] {
        let run = field.run(&[]);
        run.ends_with(0).copied(copied).says(&["shared/ann.beebe/Team"]);
    }
}
