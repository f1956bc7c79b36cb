//! A tuple among the parameters of a function hides further arguments from the lint that counts them.

use syn::{FnArg, ImplItem, Item, Pat, Signature, TraitItem};

use crate::sources::crates;

/// Parameters that are taken apart in the signature, or that hold three values or more.
fn hides_arguments(signature: &Signature) -> bool {
    signature.inputs.iter().any(|argument| {
        let FnArg::Typed(argument) = argument else { return false };
        let is_long = matches!(&*argument.ty, syn::Type::Tuple(tuple) if tuple.elems.len() > 2);
        is_long || matches!(&*argument.pat, Pat::Tuple(_))
    })
}

fn signatures(item: &Item) -> Vec<&Signature> {
    match item {
        Item::Fn(function) => vec![&function.sig],
        Item::Impl(implementation) => implementation
            .items
            .iter()
            .filter_map(|item| if let ImplItem::Fn(function) = item { Some(&function.sig) } else { None })
            .collect(),
        Item::Trait(a_trait) => a_trait
            .items
            .iter()
            .filter_map(|item| if let TraitItem::Fn(function) = item { Some(&function.sig) } else { None })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn no_parameter_hides_arguments() {
    let mut hidden = Vec::new();
    for a_crate in crates() {
        for file in &a_crate.files {
            for signature in file.items.iter().flat_map(signatures).filter(|it| hides_arguments(it)) {
                hidden.push(format!("{}/{}: {}", a_crate.name, file.name, signature.ident));
            }
        }
    }
    hidden.sort();
    assert_eq!(hidden, Vec::<String>::new());
}
