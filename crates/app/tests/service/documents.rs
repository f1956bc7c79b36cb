//! Generated documents: equal to the committed files.

use std::fs;

use crate::support::{Service, ran};

/// Compares with the committed file, or writes it if `UPDATE_DOCUMENTS` is set.
fn is_committed(name: &str, text: &str) {
    let path = format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/{name} is not what the program prints: run the tests with UPDATE_DOCUMENTS=1, and look at what changed"
    );
}

#[test]
fn openapi_and_powershell_module_are_as_committed() {
    let service = Service::idle();
    for (command, file) in [("openapi", "openapi.json"), ("powershell-module", "mailhaul.psm1")] {
        let printed = ran(&mut service.command(&[command]));
        printed.assert(0);
        is_committed(file, &printed.stdout);
    }
}

#[test]
fn help_manual_pages_and_completions_know_every_operation() {
    let service = Service::idle();
    let listed = service.ask(&["shell", "-c", "Get-Help | ConvertTo-Json"]);
    listed.assert(0);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
    let cmdlets: Vec<&str> = listed.iter().map(|it| it["Name"].as_str().unwrap()).collect();
    assert!(cmdlets.len() > 25, "{cmdlets:?}");
    let description = ran(&mut service.command(&["openapi"])).stdout;
    let man = service.directory.path().join("man");
    ran(&mut service.command(&["man", man.to_str().unwrap()])).assert(0);
    let pages: String = fs::read_dir(&man)
        .unwrap()
        .map(|it| fs::read_to_string(it.unwrap().path()).unwrap().replace("\\-", "-"))
        .collect();
    let module = ran(&mut service.command(&["powershell-module"])).stdout;
    for cmdlet in &cmdlets {
        assert!(pages.contains(cmdlet), "{cmdlet} has no manual page");
        assert!(module.contains(&format!("function {cmdlet}")), "{cmdlet} is not in the module");
        let id = format!("\"{}\"", cmdlet.replace('-', ""));
        assert!(description.contains(&id), "{cmdlet} is not in the description of the interface");
    }
    let completions = ran(&mut service.command(&["completions", "bash"]));
    completions.assert(0);
    assert!(completions.stdout.contains("mailhaul__batch__new") || completions.stdout.contains("batch"));
    let help = ran(&mut service.command(&["batch", "new", "--help"]));
    assert!(
        help.stdout.contains("--csv-data") && help.stdout.contains("New-MigrationBatch"),
        "{}",
        help.stdout
    );
}
