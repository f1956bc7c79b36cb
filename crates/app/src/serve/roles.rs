//! Names of roles in the database.

use mailhaul_operations::Role;

/// Roles with their names in the database.
pub(crate) const ROLES: [(&str, Role); 3] =
    [("Viewer", Role::Viewer), ("Operator", Role::Operator), ("Admin", Role::Admin)];
